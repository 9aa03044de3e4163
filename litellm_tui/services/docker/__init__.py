"""Docker's engine and command line, for the drivers of containers."""
