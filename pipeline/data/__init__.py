"""Images: registry, download, reading, one packed file."""
