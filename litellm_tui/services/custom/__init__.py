"""The driver for a service that only its own commands know."""
