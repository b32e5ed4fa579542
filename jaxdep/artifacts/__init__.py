"""Run directories: layout, and files that are written atomically."""
