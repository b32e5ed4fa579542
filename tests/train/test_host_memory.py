"""Memory that is left, by files of control groups as the kernel writes them."""

import ctypes

import numpy as np
import psutil
import pytest

from jaxdep.train import host_memory
from jaxdep.train.host_memory import left_in_groups

GIB = 2**30


def write(folder, limit, usage, stat, names):
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in zip((*names, "memory.stat"), (limit, usage, stat), strict=True):
        (folder / name).write_text(f"{text}\n")


V1 = ("memory.limit_in_bytes", "memory.usage_in_bytes")
V2 = ("memory.max", "memory.current")


def test_version_2_counts_every_group_above(tmp_path):
    own, root = tmp_path / "own", tmp_path / "fs"
    own.write_text("0::/slurm/job_7/step_0\n")
    write(root / "slurm/job_7/step_0", "max", GIB, "inactive_file 0", V2)
    write(root / "slurm/job_7", 8 * GIB, 3 * GIB, f"anon 5\ninactive_file {GIB}", V2)
    write(root / "slurm", 64 * GIB, 60 * GIB, "inactive_file 0", V2)
    assert sorted(left_in_groups(own, root)) == [4 * GIB, 6 * GIB]


def test_version_1_reads_the_controller_of_memory_alone(tmp_path):
    own, root = tmp_path / "own", tmp_path / "fs"
    own.write_text("3:cpu,cpuacct:/docker/ab\n2:memory:/docker/ab\n0::/docker/ab\n")
    write(root / "memory/docker/ab", 2 * GIB, GIB, "total_inactive_file 5", V1)
    write(root / "cpu/docker/ab", GIB, GIB, "total_inactive_file 0", V1)
    assert list(left_in_groups(own, root)) == [GIB + 5]


def test_a_container_sees_its_own_group_as_the_top(tmp_path):
    own, root = tmp_path / "own", tmp_path / "fs"
    own.write_text("0::/../../host/path/of/the/container\n")
    write(root, 6 * GIB, GIB, "inactive_file 0", V2)
    assert list(left_in_groups(own, root)) == [5 * GIB]


@pytest.mark.parametrize("text", ["", "5\n"])
def test_what_cannot_be_read_limits_nothing(tmp_path, text):
    own, root = tmp_path / "own", tmp_path / "fs"
    assert not list(left_in_groups(own, root))
    own.write_text("0::/a\n")
    write(root / "a", text, "x", "inactive_file", V2)
    assert not list(left_in_groups(own, root))


def test_the_smallest_counts(monkeypatch):
    assert 0 < host_memory.available() <= psutil.virtual_memory().total
    monkeypatch.setattr(host_memory, "left_in_groups", lambda: iter([2 * GIB, 7]))
    assert host_memory.available() == 7


def test_peak_is_that_of_this_process():
    before = host_memory.peak()
    assert before > 2**24
    held = np.ones(2**25)  # 256 MiB
    assert host_memory.peak() >= psutil.Process().memory_info().rss - 2**24
    assert host_memory.peak() - before <= held.nbytes + 2**26


def test_freed_memory_is_returned():
    """Blocks below one that is still in use stay with the process until they are released."""
    library = ctypes.CDLL(None)
    library.malloc.restype, library.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
    blocks = [library.malloc(ctypes.c_size_t(10_000)) for _ in range(20_000)]
    for block in blocks:
        ctypes.memset(block, 1, 10_000)
    for block in blocks[:-1]:
        library.free(block)
    resident = psutil.Process().memory_info
    before = resident().rss
    host_memory.release()
    assert resident().rss < before - 1e8
    library.free(blocks[-1])
