"""The MGID corpus."""
