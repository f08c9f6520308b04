"""Algorithm 1 and what it needs; fits of A+ and RFL."""
