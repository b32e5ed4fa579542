"""Building blocks: pure Flax modules that know no task."""
