"""The tool for people: enlarge an image."""
