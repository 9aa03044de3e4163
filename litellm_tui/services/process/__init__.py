"""The driver for a process that a command starts and a PID file names."""
