"""Windows of sentences: clipped, cut out, encoded as if each were alone."""

from typing import Any

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

from jaxdep.nn import sentence_scan, sentences

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


OVERLAPPING = jnp.array([[[0, 7], [2, 10], [4, 4]], [[5, 6], [0, 10], [1, 3]]])


@pytest.mark.parametrize("pooling", ["last", "mean"])
@pytest.mark.parametrize("chunk", [1, 3, 5, sentence_scan.CHUNK])
def test_lstm_of_overlapping_windows_equals_pytorch_on_each_alone(pooling, chunk, monkeypatch, x64):
    """Outputs, and gradients of weights and frames."""
    monkeypatch.setattr(sentence_scan, "CHUNK", chunk)
    module: Any = sentences.SentenceLSTM(4, pooling)
    x = np.random.default_rng(0).normal(size=(2, FRAMES, 3))
    variables = jax.tree.map(np.float64, module.init(jax.random.key(0), x, OVERLAPPING))
    reference: Any = torch.nn.LSTM(3, 4, batch_first=True, dtype=torch.float64)
    turned = {n: torch.tensor(np.array(w).T) for n, w in variables["params"].items()}
    reference.load_state_dict(turned)
    frames: Any = torch.tensor(x, requires_grad=True)

    def alone(row, first, end):
        if first == end:
            return torch.zeros(4, dtype=torch.float64)
        states = reference(frames[row : row + 1, first:end])[0][0]
        return states[-1] if pooling == "last" else states.mean(0)

    windows = np.asarray(OVERLAPPING)
    expected = torch.stack(
        [torch.stack([alone(row, *each) for each in windows[row]]) for row in range(2)]
    )
    found = module.apply(variables, x, OVERLAPPING)
    np.testing.assert_allclose(found, expected.detach(), atol=1e-12)

    weights = np.random.default_rng(1).normal(size=found.shape)
    (expected * torch.tensor(weights)).sum().backward()
    loss = lambda params, x: (module.apply({"params": params}, x, OVERLAPPING) * weights).sum()
    of_weights, of_frames = jax.grad(loss, (0, 1))(variables["params"], x)
    np.testing.assert_allclose(of_frames, frames.grad, atol=1e-12)
    for name, parameter in reference.named_parameters():
        np.testing.assert_allclose(of_weights[name].T, parameter.grad, atol=1e-12)


def test_lstms_that_are_vectorised_take_their_own_windows(monkeypatch):
    monkeypatch.setattr(sentence_scan, "CHUNK", 3)
    module: Any = sentences.SentenceLSTM(4)
    x = np.random.default_rng(0).normal(size=(2, FRAMES, 3)).astype(np.float32)
    params = module.init(jax.random.key(0), x, WINDOWS)
    both = jnp.stack([WINDOWS, OVERLAPPING])
    loss = lambda windows: jax.value_and_grad(
        lambda params: (module.apply(params, x, windows) ** 2).sum()
    )(params)
    chex.assert_trees_all_close(
        jax.vmap(loss)(both),
        jax.tree.map(lambda *each: jnp.stack(each), *(loss(windows) for windows in both)),
        atol=1e-6,
    )
