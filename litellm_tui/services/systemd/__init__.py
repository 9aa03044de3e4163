"""The driver for systemd units, of the user or the system."""
