"""Descriptors of the voice: openSMILE's own values, averaged over the right rows."""

import numpy as np
import opensmile
import pytest
import recordings

from jaxdep.errors import BadFileError
from jaxdep.extract import voice


def smile(level):
    features = opensmile.FeatureSet.eGeMAPSv02
    return opensmile.Smile(feature_set=features, feature_level=level)


def test_rows_are_means_of_openSMILE_s_descriptors_in_a_second():
    samples = recordings.voice(4.0)
    table = smile(opensmile.FeatureLevel.LowLevelDescriptors).process_signal(samples, 16_000)
    found = voice.descriptors(samples, 1.0)
    assert found.shape == (4, 25)
    assert found.dtype == np.float32
    assert table.columns[0] == "Loudness_sma3"
    assert table.columns[10] == "F0semitoneFrom27.5Hz_sma3nz"
    expected = [table.iloc[100 * second : 100 * (second + 1)].mean() for second in range(4)]
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    # 150 Hz are 29.4 semitones above 27.5 Hz; pauses, where it is 0, lower the mean.
    assert 20 < found[:, 10].max() < 31


def test_at_a_hundred_rows_a_second_nothing_is_averaged():
    samples = recordings.voice(2.0)
    table = smile(opensmile.FeatureLevel.LowLevelDescriptors).process_signal(samples, 16_000)
    found = voice.descriptors(samples, 100.0)
    np.testing.assert_array_equal(found, table.to_numpy(np.float32))


@pytest.mark.parametrize(("seconds", "rate", "rows"), [(2.99, 1.0, 2), (3.0, 1.0, 3), (2.0, 7, 14)])
def test_incomplete_intervals_are_left_out(seconds, rate, rows):
    assert voice.descriptors(recordings.voice(seconds), rate).shape == (rows, 25)


def test_functionals_are_those_of_openSMILE():
    samples = recordings.voice(3.0)
    expected = smile(opensmile.FeatureLevel.Functionals).process_signal(samples, 16_000)
    found = voice.functionals(samples)
    assert found.shape == (1, 88)
    np.testing.assert_allclose(found, expected.to_numpy(np.float32), rtol=1e-6)


def test_too_short():
    with pytest.raises(BadFileError, match=r"too short.*0\.90 s; at least 1 s"):
        voice.descriptors(recordings.voice(0.9), 1.0)
    with pytest.raises(BadFileError, match=r"too short.*at least 0\.1 s"):
        voice.descriptors(recordings.voice(0.05), 100.0)
