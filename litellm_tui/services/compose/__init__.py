"""The driver for a service of a Docker Compose project."""
