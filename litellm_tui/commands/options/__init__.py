"""The options of commands, one module a command or a few: nothing is imported by them but argparse."""
