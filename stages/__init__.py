"""Entry points of the DVC stages: read parameters, call `pipeline`, write outputs."""
