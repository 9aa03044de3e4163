"""The configuration file with its includes, and the watch for changes of it."""
