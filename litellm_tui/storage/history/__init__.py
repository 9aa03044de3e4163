"""The record of a gateway: events for ever, measurements in steps that grow with their age, in one SQLite file."""
