"""The mgid corpus."""
