"""The full-screen console: the app, its session, and how panes, screens and widgets are put together."""
