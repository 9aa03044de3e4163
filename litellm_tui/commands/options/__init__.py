"""The options of commands, each in a module of its own: they load nothing."""
