"""Data loading: from raw corpora on disk to padded arrays on the device."""
