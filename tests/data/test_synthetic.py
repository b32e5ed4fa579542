"""What generators of stand-ins share."""

import importlib
import inspect

import numpy as np
import pytest

from jaxdep.data import corpora, stand_ins, synthetic


def test_a_changed_generator_makes_its_stand_in_anew(tmp_path, monkeypatch):
    how = {"data_dir": tmp_path, "items": 12, "mean_length": 40}
    first = stand_ins.synthetic_corpus("dvlog", **how)
    assert stand_ins.synthetic_corpus("dvlog", **how) == first
    monkeypatch.setattr(inspect, "getsource", lambda module: "changed")
    assert stand_ins.synthetic_corpus("dvlog", **how) != first


def test_names_imported_from_a_module_count_too(tmp_path, monkeypatch):
    """`from jaxdep.datasets.dvlog.raw import WIDTHS` binds a mapping and no module."""
    how = {"data_dir": tmp_path, "items": 12, "mean_length": 40}
    first, source = stand_ins.synthetic_corpus("dvlog", **how), inspect.getsource

    def changed(module):
        return source(module) + "\n# changed" * module.__name__.endswith("dvlog.raw")

    monkeypatch.setattr(inspect, "getsource", changed)
    assert stand_ins.synthetic_corpus("dvlog", **how) != first


def test_sources_of_another_package_count_too(tmp_path, monkeypatch):
    package = tmp_path / "toy_corpus"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "raw.py").write_text("WIDTHS = 5\n")
    write = "def write(directory, **options):\n    directory.mkdir()\n"
    (package / "synthetic.py").write_text("from .raw import WIDTHS\n\n" + write)
    monkeypatch.syspath_prepend(tmp_path)
    generator = importlib.import_module("toy_corpus.synthetic")
    monkeypatch.setattr(corpora, "generator", lambda name: generator)
    source, changed = inspect.getsource, ""
    monkeypatch.setattr(
        inspect,
        "getsource",
        lambda module: source(module) + changed * module.__name__.endswith(".raw"),
    )
    first = stand_ins.synthetic_corpus("toy", data_dir=tmp_path)
    assert stand_ins.synthetic_corpus("toy", data_dir=tmp_path) == first
    changed = "# changed"
    assert stand_ins.synthetic_corpus("toy", data_dir=tmp_path) != first


def test_splits_are_in_proportion():
    names = synthetic.split_names({"train": 107, "dev": 35, "test": 47}, 189)
    assert [names.count(split) for split in ("train", "dev", "test")] == [107, 35, 47]
    few = synthetic.split_names({"train": 107, "dev": 35, "test": 47}, 10)
    assert [few.count(split) for split in ("train", "dev", "test")] == [6, 2, 2]


@pytest.mark.parametrize("items", [47, 500])
def test_bits_have_their_rates_in_each_split(items):
    rates, rng = [0.85] * 4 + [0.7], np.random.default_rng(0)
    drawn = list(synthetic.balanced_bits(["train"] * 20 + ["test"] * items, rates, rng))
    assert [split for split, _, _ in drawn].count("train") == 20
    labels, right = zip(
        *[(label, bits) for split, label, bits in drawn if split == "test"], strict=True
    )
    assert abs(2 * sum(labels) - items) <= 1
    for label in (0, 1):
        bits_of_class = np.array(right)[np.array(labels) == label]
        np.testing.assert_allclose(bits_of_class.mean(0), rates, atol=0.5 / len(bits_of_class))
    votes = (2 * np.array(right) - 1) @ (np.log(rates) - np.log1p(-np.array(rates)))
    assert (votes > 0).mean() == pytest.approx(synthetic.best_accuracy(rates), abs=1 / items)


def test_noise_is_stationary_and_correlated():
    noise = synthetic.autocorrelated(20_000, 2, 0.6, np.random.default_rng(0))
    np.testing.assert_allclose(noise.var(0), 1, atol=0.1)
    following = (noise[1:] * noise[:-1]).mean(0)
    np.testing.assert_allclose(following, 0.6, atol=0.05)
    begins = [
        synthetic.autocorrelated(1, 1, 0.6, np.random.default_rng(seed)).item()
        for seed in range(400)
    ]
    assert np.var(begins) == pytest.approx(1, abs=0.2)  # from the first frame on


def test_the_best_accuracy_of_independent_bits():
    assert synthetic.best_accuracy([0.85]) == pytest.approx(0.85)
    assert synthetic.best_accuracy([0.85, 0.85]) == pytest.approx(0.85)  # a tie tells nothing
    three = 0.85**3 + 3 * 0.85**2 * 0.15
    assert synthetic.best_accuracy([0.85] * 3) == pytest.approx(three)


def test_sizes_that_cannot_be_made_are_refused():
    for items, signal, mean in ((9, 1.0, 50.0), (10, 1.5, 50.0), (10, 1.0, 39.0)):
        with pytest.raises(ValueError, match="mean_length at least 40"):
            synthetic.check_size(items, 10, signal, mean_length=(mean, 40))
    synthetic.check_size(10, 10, 0.0, mean_length=(40, 40))
