"""Settings of every test: eight CPU devices, no silent broadcasting, float64 on request."""

import os
import shutil
import tempfile
from importlib.metadata import version

import pytest

os.environ.setdefault("MPLBACKEND", "agg")
# Tests compile the same programs many times over, in several processes, which inherit this.
_MINE = "JAX_COMPILATION_CACHE_DIR" not in os.environ
if _MINE:
    os.environ["JAX_COMPILATION_CACHE_DIR"] = tempfile.mkdtemp(prefix="jaxdep-programs-")
    os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0.2"

# Compiling is most of what tests do, and they run what they compile but once or twice. Kernels of
# few operations that LLVM hardly optimises, in one module each, take a third of the time.
_QUICK = ["--xla_backend_optimization_level=0", "--xla_cpu_parallel_codegen_split_count=1"]
if version("jaxlib").startswith("0.10."):  # later versions know no such flag, and abort
    _QUICK.append("--xla_cpu_use_fusion_emitters=false")
os.environ["XLA_FLAGS"] = " ".join([os.environ.get("XLA_FLAGS", ""), *_QUICK])

import jax  # noqa: E402
from jaxtyping import install_import_hook  # noqa: E402

# Annotations of everything that handles arrays are checked at run time; not those of the training
# core, whose pytrees JAX also fills with shapes instead of arrays.
_TYPED = ("jaxdep.nn", "jaxdep.models", "jaxdep.losses", "jaxdep.random")
install_import_hook(_TYPED, "typecheck.typechecked")

jax.config.update("jax_num_cpu_devices", 8)
jax.config.update("jax_numpy_rank_promotion", "raise")


def pytest_unconfigure():
    """The process that made the folder of programs removes it."""
    if _MINE:
        shutil.rmtree(os.environ["JAX_COMPILATION_CACHE_DIR"], ignore_errors=True)


@pytest.fixture(scope="module", autouse=True)
def programs_of_one_module():
    """Compiled programs go with the module that needed them: each holds maps of memory."""
    yield
    jax.clear_caches()


@pytest.fixture
def x64():
    """Float64 for the length of one test."""
    with jax.enable_x64(True):
        yield
