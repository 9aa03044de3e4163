"""What runs LiteLLM: one driver for each kind of service behind one protocol, and their registry."""
