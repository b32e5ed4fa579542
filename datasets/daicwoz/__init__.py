"""The daicwoz corpus."""
