"""The console in a browser: who may see it, its page, and one process of it for each visitor."""
