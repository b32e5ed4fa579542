"""The ewre corpus."""
