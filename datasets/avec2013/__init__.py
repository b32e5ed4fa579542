"""The AVEC2013 corpus."""
