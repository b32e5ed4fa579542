"""PyTorch references of the baselines, one module per network."""
