"""The EWRE corpus."""
