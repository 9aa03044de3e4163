"""What is kept on disk between runs: state, filters, backups and starts."""
