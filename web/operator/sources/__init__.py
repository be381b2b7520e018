"""One look at each part of the chain; each source fails by itself."""
