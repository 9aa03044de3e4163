"""The panes of the main screen, one module each; a pane shows its part of the snapshot and the diagnosis."""
