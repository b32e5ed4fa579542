"""Which inputs a modality consists of, and inputs without some modalities."""

import numpy as np
import pytest

from jaxdep.models import SPECS, LogisticRegression, modalities_of
from jaxdep.models.modalities import recorded, subsets, without

INPUTS = {
    "text": np.ones((2, 3, 4), np.float32),
    "text_mask": np.array([[True, True, False], [False, False, False]]),
    "gender": np.ones((2, 2), np.float32),
    "visual": np.full((2, 2, 3), 255, np.uint8),
    "visual_mask": np.ones((2, 2), bool),
    "visual_functionals": np.ones((2, 5), np.float32),
    "sentences": np.ones((2, 1, 6), np.int32),
    "sentences_mask": np.ones((2, 1), bool),
}
PARTS = {"text": ("text", "gender"), "visual": ("visual", "color")}


@pytest.mark.parametrize(
    ("absent", "gone"),
    [
        ([], set()),
        (["text"], {"text", "text_mask", "gender"}),
        (["visual"], {"visual", "visual_mask", "visual_functionals"}),
        (["visual", "text"], set(INPUTS) - {"sentences", "sentences_mask"}),
    ],
)
def test_what_belongs_to_an_absent_modality_is_zero(absent, gone):
    found = without(INPUTS, PARTS, absent)
    for name, x in INPUTS.items():
        assert (found[name].dtype, found[name].shape) == (x.dtype, x.shape)
        np.testing.assert_array_equal(found[name], np.zeros_like(x) if name in gone else x)


def test_recorded_are_examples_with_a_real_frame():
    assert recorded(INPUTS, ("text", "gender")).tolist() == [True, False]
    assert recorded(INPUTS, ("text", "visual")).tolist() == [True, True]
    assert recorded(INPUTS, ("gender",)).tolist() == [True, True]


def test_subsets_from_all_to_each_alone():
    found = list(subsets(dict.fromkeys("abc", ())))
    assert ["".join(subset) for subset in found] == ["abc", "ab", "ac", "bc", "a", "b", "c"]


@pytest.mark.parametrize(
    ("name", "fields", "expected"),
    [
        ("jamfn", {}, {"acoustic": ("acoustic",), "visual": ("visual",)}),
        ("amm", {}, PARTS),
        ("amm", {"modalities": ("visual",)}, {"visual": ("visual", "color")}),
        ("mddr", {"modalities": ("pose", "visual")}, {"pose": ("pose",), "visual": ("visual",)}),
        ("smfl_released", {}, {name: (name,) for name in ("acoustic", "visual", "text")}),
    ],
)
def test_modalities_of_a_configured_model(name, fields, expected):
    found = modalities_of(SPECS[name].model(**fields))
    assert dict(found) == expected
    assert list(found) == list(expected)


def test_baselines_have_none():
    assert modalities_of(LogisticRegression()) == {}
