"""Benchmarks against PyTorch: `jaxdep bench NAME`."""
