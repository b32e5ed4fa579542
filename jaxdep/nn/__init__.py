"""Task-independent building blocks: Flax modules and pure functions."""
