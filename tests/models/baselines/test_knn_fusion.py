"""The fusion of nearest neighbours, by hand."""

import numpy as np
import pytest

from jaxdep.errors import UserError
from jaxdep.models import KNNFusion
from jaxdep.models.baselines.tuned import FLOOR

TRAIN = {
    "voice": np.array([[-3.0], [-1], [1], [3]]),
    "face": np.array([[0.0], [100], [200], [1000]]),
}
TEST = {
    "voice": np.array([[2.5], [4], [-4]]),
    "face": np.array([[20.0], [900], [20]]),
}


def test_shares_of_classes_by_hand():
    label = np.array([0, 0, 1, 1])
    fitted = KNNFusion(neighbors=(3,)).fit_predict((TRAIN, label), (TRAIN, label), TEST)
    # Class 1 among the three nearest voices: (3, 1, -1), (3, 1, -1), (-3, -1, 1).
    voice = np.array([2 / 3, 2 / 3, 1 / 3])
    # And faces: (0, 100, 200), (1000, 200, 100), (0, 100, 200).
    face = np.array([1 / 3, 2 / 3, 1 / 3])
    np.testing.assert_allclose(np.exp(fitted.outputs[:, 1]), (voice + face) / 2, rtol=1e-12)
    # Each is the third nearest of another class at worst, in voices as in faces but for the last:
    # voices 1/3, 1/3, 2/3, 2/3 and faces 1/3, 1/3, 1/3, 2/3.
    true_class = np.array([2 / 3, 2 / 3, 1 / 2, 2 / 3])
    assert fitted.loss == pytest.approx(-np.log(true_class).mean(), rel=1e-6)
    assert fitted.hyper == {"neighbors": 3.0}


def test_mean_scores_by_hand():
    score = np.array([0.0, 10, 20, 30], np.float32)
    fitted = KNNFusion(neighbors=(3,)).fit_predict((TRAIN, score), (TRAIN, score), TEST)
    # Voices (30 + 20 + 10) / 3 = 20, 20, (0 + 10 + 20) / 3 = 10; faces 10, 20, 10.
    np.testing.assert_allclose(fitted.outputs, [15, 20, 10], rtol=1e-12)


def test_unanimous_neighbours_leave_some_doubt():
    label = np.array([0, 0, 1, 1])
    outputs = KNNFusion(neighbors=(1,), modalities=("voice",)).fit_predict(
        (TRAIN, label), (TRAIN, 1 - label), TEST
    )
    np.testing.assert_allclose(np.exp(outputs.outputs[0]), np.array([FLOOR, 1]) / (1 + FLOOR))
    assert outputs.loss == pytest.approx(np.log((1 + FLOOR) / FLOOR), rel=1e-6)


def test_candidates_above_the_number_of_recordings():
    label = np.array([0, 0, 1, 1])
    fitted = KNNFusion(neighbors=(5, 4)).fit_predict((TRAIN, label), (TRAIN, label), TEST)
    assert fitted.hyper == {"neighbors": 4.0}
    with pytest.raises(UserError, match=r"model.neighbors=5,9: .* only 4 recordings; set"):
        KNNFusion(neighbors=(5, 9)).fit_predict((TRAIN, label), (TRAIN, label), TEST)
