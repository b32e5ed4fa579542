"""Sentences are cut where they should be, and as the published network cuts them."""

import numpy as np
import pytest

from jaxdep.data import dialogue

TIMES = np.array([[10.0, 13.0], [20.0, 22.0], [30.0, 30.0], [41.0, 46.0]])
RATES = {"acoustic": 172, "visual": 30}


def test_pack_lays_sentences_end_to_end():
    stream = np.arange(20)[:, None]
    cut = np.array([[3, 5], [4, 4], [9, 12], [11, 13], [6, 2]])
    packed, windows = dialogue.pack(stream, cut)
    for (first, end), (begin, stop) in zip(windows, cut, strict=True):
        np.testing.assert_array_equal(packed[first:end, 0], np.arange(begin, stop))
    np.testing.assert_array_equal(packed[:, 0], [3, 4, 9, 10, 11, 11, 12])


def test_windows_end_with_the_stream():
    found = dialogue.windows(TIMES, 30, 1000)
    np.testing.assert_array_equal(found, [[300, 390], [600, 660], [900, 900], [1000, 1000]])


def test_released_windows_are_those_of_the_published_example():
    """Sentences 10-13, 20-22, 30-30, 41-46 give these many frames (SMFL, published)."""
    found = dialogue.released_windows(TIMES, RATES)
    sizes = {name: (cut[:, 1] - cut[:, 0]).tolist() for name, cut in found.items()}
    assert sizes == {"acoustic": [516, 688, 688, 1376], "visual": [90, 60, 30, 150]}
    np.testing.assert_array_equal(found["acoustic"][:, 0], [0, 172, 344, 516])
    np.testing.assert_array_equal(found["visual"][:, 0], [0, 90, 150, 180])


@pytest.mark.parametrize("fixed", [False, True])
def test_released_windows_forget_when_things_were_said(fixed):
    """Shifting all times by 100 seconds changes nothing."""
    now = dialogue.released_windows(TIMES, RATES, fix_audio_start=fixed)
    later = dialogue.released_windows(TIMES + 100, RATES, fix_audio_start=fixed)
    for name in RATES:
        np.testing.assert_array_equal(now[name], later[name])


def test_released_windows_mended():
    fixed = dialogue.released_windows(TIMES, RATES, fix_audio_start=True)
    np.testing.assert_array_equal(fixed["acoustic"] * 30, fixed["visual"] * 172)
    absolute = dialogue.released_windows(TIMES, RATES, absolute_time=True)
    np.testing.assert_array_equal(absolute["visual"][:2], [[300, 390], [600, 660]])


def test_waste():
    assert dialogue.waste(np.array([4, 2, 0])) == pytest.approx(0.5)
    assert dialogue.waste(np.array([])) == 0
