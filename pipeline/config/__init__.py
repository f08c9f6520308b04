"""params.yaml as frozen dataclasses, every value checked."""
