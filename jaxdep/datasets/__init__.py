"""Parent package of the corpus folders in the repository's top-level `datasets/`."""
