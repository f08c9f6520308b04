"""The adaptive engine: fused convolutions, borders of patches, batches by route."""
