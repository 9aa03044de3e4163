"""Differences: between files, between the file and the running router, and before and after a restart."""
