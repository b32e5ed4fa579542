"""The E-DAIC corpus."""
