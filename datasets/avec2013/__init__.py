"""The avec2013 corpus."""
