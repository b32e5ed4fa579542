"""Training: many runs at once, each a pure function of its seed."""
