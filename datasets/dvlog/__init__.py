"""The D-Vlog corpus."""
