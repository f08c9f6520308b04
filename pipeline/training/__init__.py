"""Algorithm 1: patches, steps, the ladder of budgets, states on disk; the fits of A+ and RFL."""

# Results of other versions are not used. Raise it when a change can change trained weights;
# tests/test_versions.py holds it to the code of the files that it names.
VERSION = 2
