"""CSV to tables, statistics and verdicts; no torch."""
