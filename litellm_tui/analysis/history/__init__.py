"""What changed from one diagnosis to the next, for the record and for messages."""
