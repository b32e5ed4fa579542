"""A corpus of one's own, described by `corpus.yaml`."""
