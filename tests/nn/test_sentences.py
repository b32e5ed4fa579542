"""Windows of sentences: clipped, cut out, encoded as if each were alone."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import torch

from jaxdep.nn import sentences

WINDOWS = jnp.array([[[0, 3], [3, 3], [3, 8]], [[0, 1], [1, 4], [9, 9]]])
FRAMES = 10


def test_clip_ends_where_frames_and_sentences_end():
    mask = jnp.arange(FRAMES)[None] < jnp.array([[6], [10]])
    real = jnp.array([[True, True, True], [True, False, False]])
    spoiled = WINDOWS.at[1, 1].set(jnp.array([-7, 10**6]))
    found = sentences.clip(spoiled, real, FRAMES, mask)
    np.testing.assert_array_equal(found, [[[0, 3], [3, 3], [3, 6]], [[0, 1], [0, 0], [0, 0]]])
    np.testing.assert_array_equal(
        sentences.present(found), [[True, False, True], [True, False, False]]
    )


def test_whole_begins_at_the_first_frame_of_any():
    np.testing.assert_array_equal(sentences.enclosing_window(WINDOWS)[:, 0], [[0, 8], [0, 4]])
    late = jnp.array([[[0, 0], [2, 5]]])
    np.testing.assert_array_equal(sentences.enclosing_window(late)[:, 0], [[2, 5]])
    none = jnp.zeros((1, 2, 2), jnp.int32)
    assert not sentences.present(sentences.enclosing_window(none)).any()


def test_endings():
    x = jnp.arange(2 * FRAMES, dtype=jnp.float32).reshape(2, FRAMES, 1)
    found, real = sentences.endings(x, WINDOWS, 4)
    assert found.shape == (6, 4, 1)
    np.testing.assert_array_equal(real.sum(1), [3, 0, 4, 1, 3, 0])
    np.testing.assert_array_equal(
        jnp.where(real, found[..., 0], -1),
        [
            [-1, 0, 1, 2],
            [-1, -1, -1, -1],
            [4, 5, 6, 7],
            [-1, -1, -1, 10],
            [-1, 11, 12, 13],
            [-1, -1, -1, -1],
        ],
    )


def test_last_frames():
    x = jnp.arange(2 * FRAMES, dtype=jnp.float32).reshape(2, FRAMES, 1)
    np.testing.assert_array_equal(
        sentences.last_frames(x, WINDOWS)[..., 0], [[2, 0, 7], [10, 13, 0]]
    )


def test_lstm_of_overlapping_windows_equals_pytorch_on_each_alone():
    windows = jnp.array([[[0, 7], [2, 10], [4, 4]], [[5, 6], [0, 10], [1, 3]]])
    x = np.random.default_rng(0).normal(size=(2, FRAMES, 3)).astype(np.float32)
    module: Any = sentences.SentenceLSTM(4)
    variables = module.init(jax.random.key(0), x, windows)
    reference = torch.nn.LSTM(3, 4, batch_first=True)
    turned = {n: torch.tensor(np.array(w).T) for n, w in variables["params"].items()}
    reference.load_state_dict(turned)
    found = module.apply(variables, x, windows)
    for row in range(2):
        for number, (first, end) in enumerate(np.asarray(windows[row])):
            expected = np.zeros(4)
            if end > first:
                expected = reference(torch.tensor(x[row : row + 1, first:end]))[0][0, -1].detach()
            np.testing.assert_allclose(found[row, number], expected, atol=1e-6)
