"""Score pooling and cross attention against PyTorch and by hand."""

from typing import Any

import jax
import numpy as np
import pytest
import torch

from jaxdep.nn.attention import CrossAttention, ScoreAttention

RNG = np.random.default_rng(0)
QUERY = RNG.normal(size=(3, 4, 5)).astype(np.float32)
MEMORY = RNG.normal(size=(3, 6, 7)).astype(np.float32)
MASK = np.arange(6) < np.array([6, 3, 1])[:, None]


def test_scores_by_hand():
    module: Any = ScoreAttention(8)
    variables = module.init(jax.random.key(0), MEMORY, MASK)
    params = jax.tree.map(np.asarray, variables["params"])
    hidden = np.tanh(MEMORY @ params["proj"]["kernel"] + params["proj"]["bias"])
    scores = (hidden @ params["score"]["kernel"])[..., 0]
    expected = np.where(MASK, np.exp(scores), 0)
    expected /= expected.sum(1, keepdims=True)
    np.testing.assert_allclose(module.apply(variables, MEMORY, MASK), expected, atol=1e-6)


@pytest.mark.parametrize("masked", [False, True])
def test_cross_attention_equals_pytorchs(masked):
    module: Any = CrossAttention(8, heads=2)
    variables = module.init(jax.random.key(0), QUERY, MEMORY, MASK)
    weights = {name: jax.tree.map(np.asarray, variables["params"][name]) for name in "qkv"}
    reference = torch.nn.MultiheadAttention(8, 2, batch_first=True)
    project = lambda name, x: torch.tensor(x @ weights[name]["kernel"] + weights[name]["bias"])
    reference.load_state_dict(
        {
            "in_proj_weight": torch.eye(8).repeat(3, 1),
            "in_proj_bias": torch.zeros(24),
            "out_proj.weight": torch.eye(8),
            "out_proj.bias": torch.zeros(8),
        }
    )
    theirs, attention = reference(
        project("q", QUERY),
        project("k", MEMORY),
        project("v", MEMORY),
        key_padding_mask=torch.tensor(~MASK) if masked else None,
        average_attn_weights=False,
    )
    ours, sown = module.apply(
        variables, QUERY, MEMORY, MASK if masked else None, mutable="intermediates"
    )
    np.testing.assert_allclose(ours, theirs.detach(), atol=1e-6)
    found = sown["intermediates"]["attention"][0]
    np.testing.assert_allclose(found, attention.detach(), atol=1e-6)


def test_width_that_heads_do_not_divide():
    with pytest.raises(ValueError, match="must be a multiple of heads=3"):
        CrossAttention(8, heads=3).init(jax.random.key(0), QUERY, MEMORY, None)
