"""Several gateways side by side: what is compared of each, and where they differ."""
