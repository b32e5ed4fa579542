"""The avec2014 corpus."""
