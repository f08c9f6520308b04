"""Super-resolution itself: degradation, patches, the gradient prior, routing, counted cost."""
