"""Measurements side by side with PyTorch: `jaxdep bench NAME`."""
