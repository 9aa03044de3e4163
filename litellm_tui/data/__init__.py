"""What is shipped beside the code: `catalogue.json`, written by `python -m tools.catalogue`."""
