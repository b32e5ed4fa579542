"""Asks trained runs about new recordings: their folder is enough, without the corpus."""
