"""Tells people who do not look what has begun, got worse or ended: a command, an address, a terminal."""
