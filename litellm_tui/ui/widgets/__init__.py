"""Widgets that more than one pane or screen uses."""
