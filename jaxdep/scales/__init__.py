"""Clinical scales: categories, thresholds and ranges of total scores."""
