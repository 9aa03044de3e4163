"""The pollers and their supervisor, which turn all sources into one snapshot after another."""
