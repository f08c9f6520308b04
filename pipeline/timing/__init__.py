"""Clocks, what is timed, and the limits of a device."""
