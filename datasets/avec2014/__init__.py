"""The AVEC2014 corpus."""
