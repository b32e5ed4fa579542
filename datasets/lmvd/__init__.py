"""The LMVD corpus."""
