"""How modalities and tasks read one another."""

from __future__ import annotations

import flax.linen as nn
import jax.numpy as jnp

from jaxdep.nn.convolution import FoldedMaps, Maps
from jaxdep.nn.initializers import Initializer
from jaxdep.nn.linear import Linear
from jaxdep.nn.masking import masked_softmax
from jaxdep.types import Mask, Scores, Sequence


class JointAttention(nn.Module):
    """Joint attention fusion (JAF; eq. 7-11, Zhou et al. 2023): temporal weights of two modalities.

    Each modality's frames are scored, the scores of both are mixed by one linear layer over all
    2L of them, and the mixture gates the scores ahead of a softmax over time. As the layer is over
    positions, the model is bound to one length L.
    """

    @nn.compact
    def __call__(
        self,
        x_a: Maps | FoldedMaps,
        x_v: Maps | FoldedMaps,
        mask_a: Mask | None,
        mask_v: Mask | None,
    ) -> tuple[Scores, Scores]:
        """Weights over time of the acoustic and the visual maps, [B, L] each.

        They, the scores and the mixture are sown as `A_A`, `A_V`, `T_A`, `T_V`, `T_mixed`.
        """
        t_a = _score(Linear(1, name="fc1"), x_a, mask_a)  # eq. 7
        t_v = _score(Linear(1, name="fc2"), x_v, mask_v)  # eq. 8
        length = t_a.shape[1]
        mixed = Linear(2 * length, name="fc3")(jnp.concatenate([t_a, t_v], axis=1))  # eq. 9
        a_a = masked_softmax(t_a * mixed[:, :length], mask_a)  # eq. 10
        a_v = masked_softmax(t_v * mixed[:, length:], mask_v)  # eq. 11
        sown = {"T_A": t_a, "T_V": t_v, "T_mixed": mixed, "A_A": a_a, "A_V": a_v}
        for name, value in sown.items():
            self.sow("intermediates", name, value)
        return a_a, a_v


def _score(linear: Linear, x: Maps | FoldedMaps, mask: Mask | None) -> Scores:
    """Scores of all frames, zero at padding, so that the mixture does not see it."""
    weight, bias = linear.weights(x.channels)
    scores = x.scores(weight[:, 0], 0.0 if bias is None else bias[0])
    return scores if mask is None else jnp.where(mask, scores, 0)


class TaskProjection(nn.Module):
    """Query, key and value of one task's states, for the attention between tasks.

    Attributes:
      features: width of each.
    """

    features: int
    weight_init: Initializer | None = None
    bias_init: Initializer | None = None

    @nn.compact
    def __call__(self, x: Sequence) -> tuple[Sequence, Sequence, Sequence]:
        """Projects [B, L, *] to query, key and value, [B, L, features] each."""
        inits = {"weight_init": self.weight_init, "bias_init": self.bias_init}
        q, k, v = (Linear(self.features, name=name, **inits)(x) for name in "qkv")
        return q, k, v


def task_attention(
    query: Sequence, key: Sequence, value: Sequence, mask: Mask | None
) -> tuple[Sequence, Scores]:
    """`softmax(Q K) V`, unscaled (eq. 6, Zhang et al. 2021), over the real steps of the keys.

    Returns:
      The result [B, L, D] and the weights [B, L, L].
    """
    scores = jnp.einsum("bld,bsd->bls", query, key)
    weights = masked_softmax(scores, None if mask is None else mask[:, None, :])
    return jnp.einsum("bls,bsd->bld", weights, value), weights
