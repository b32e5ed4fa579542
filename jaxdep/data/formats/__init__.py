"""Readers of files that may be broken or hostile: one per format, with limits before allocation."""
