"""Another release of LiteLLM: planned, tried beside the one that runs, put in its place, and taken back."""
