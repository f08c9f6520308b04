"""Routers against each other: what decides which patch is worth which network."""
