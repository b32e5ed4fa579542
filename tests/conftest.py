"""Settings of every test: eight CPU devices, no silent broadcasting, float64 on request."""

import os

os.environ.setdefault("MPLBACKEND", "agg")

import jax
import pytest

jax.config.update("jax_num_cpu_devices", 8)
jax.config.update("jax_numpy_rank_promotion", "raise")


@pytest.fixture
def x64():
    """Float64 for the length of one test."""
    with jax.enable_x64(True):
        yield
