"""Runs and sweeps: data in, training, results out."""
