"""What each benchmark asks of its workers, and what it makes of their answers; nothing is timed."""

import pytest

from jaxdep.benchmarks import measured, measures, worker
from jaxdep.benchmarks.worker import OURS, Found, Work

BATCH = 4  # of JAMFN's tiny size


@pytest.fixture
def asked(monkeypatch):
    """All works that were asked for; ours takes a second per seed and update, others two."""
    works = []

    def answer(given, repeats, environment=None):
        works.append((given, environment or {}))
        for work in given:
            each = 1 if work.side == OURS else 2
            updates = max(work.items // BATCH, 1) * work.seeds
            yield Found(seconds=each * updates, first=10 * len(works), peak=2**30, base=2**20)

    monkeypatch.setattr(worker, "compare", lambda *args: list(answer(*args)))
    monkeypatch.setattr(measures.flops, "of_step", lambda case, path: 10**6)
    return works


def points(name, **options):
    setting = measures.Setting(
        Work("jamfn", "tiny"), measured.find("jamfn", "tiny"), repeats=3, **options
    )
    return list(measures.MEASURES[name](setting))


def test_seed_counts(asked):
    found = points("seed-counts", seeds=5)
    assert [point["seeds"] for point in found] == [1, 2, 4]
    assert [point["ours_s"] for point in found] == [2, 4, 8]
    assert all(point["ratio"] == {"stock": 2, "folded": 2} for point in found)
    # Two updates of each seed, and one validation for a third of an update.
    assert found[2]["flops_per_s"][OURS] == pytest.approx(4 * (2 + 1 / 3) * 1e6 / 8)
    assert {work.turn for given, _ in asked for work in given} == {"epoch"}


def test_recordings(asked):
    found = points("recordings")
    assert [point["recordings"] for point in found] == [BATCH * n for n in (1, 2, 4, 8)]
    assert [point["steps"] for point in found] == [1, 2, 4, 8]
    assert [given[0].items for given, _ in asked] == [point["recordings"] for point in found]


def test_precisions_are_the_same_on_both_sides(asked):
    found = points("precision")
    assert [point["precision"] for point in found] == ["float32", "tensorfloat32", "bfloat16"]
    for point, (given, _) in zip(found, asked, strict=True):
        assert {work.precision for work in given} == {point["precision"]}
        assert {work.side for work in given} == {OURS, "stock", "folded"}


def test_compilation_takes_as_many_turns_as_asked(asked):
    cold, warm = points("compile")
    caches = [environment["JAX_COMPILATION_CACHE_DIR"] for _, environment in asked]
    assert len(caches) == 2 * 3
    assert len(set(caches)) == 3  # each turn begins with an empty one, which the second one fills
    assert (cold["cached"], cold["ours_s"]) == (False, 30)  # medians of 10, 30, 50 and 20, 40, 60
    assert (warm["cached"], warm["ours_s"]) == (True, 40)


def test_devices_are_forced(asked):
    found = points("devices")
    assert [point["devices"] for point in found] == [1, 2, 4, 8]
    ((given, environment),) = asked
    assert [work.how for work in given] == [{"devices": n} for n in (1, 2, 4, 8)]
    assert environment["XLA_FLAGS"].endswith("--xla_force_host_platform_device_count=8")
