"""This machine: child processes, /proc, files and locks."""
