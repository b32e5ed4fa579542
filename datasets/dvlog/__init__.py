"""The dvlog corpus."""
