"""MHA-BiLSTM: several attention heads over the states of a bidirectional LSTM."""

from __future__ import annotations

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Float

from jaxdep.models.baselines.head import Prediction, Summary, join
from jaxdep.models.baselines.streams import Modality, check_names, frames
from jaxdep.nn.linear import Linear
from jaxdep.nn.masking import masked_softmax
from jaxdep.nn.rnn import LSTM
from jaxdep.settings.kinds import Classes, Count, Name, Rate, Width
from jaxdep.types import Array, Inputs, Mask, Sequence, traceable


class MHABiLSTM(nn.Module):
    """Classifies or scores recordings by multi-head attention over the states of a BiLSTM.

    After Kumar et al., IEEE Access 2020, with the attention of Lin et al., ICLR 2017 (reading 1).

    Inputs: for each modality m, a sequence `m` [B, T_m, D_m] with an optional mask `m_mask`
    [B, T_m], or a vector [B, D_m]. Equation numbers are those of README.md.

    Attributes:
      modalities: names of the inputs.
      classes: number of classes; None: one score per recording.
      task: key of the output.
      hidden: units per direction of the LSTM.
      attention: width of the attention layer.
      heads: number of heads.
      dropout: rate before the classifier.

    Sown: the weights `attention_m` [B, heads, T_m].
    """

    modalities: tuple[Modality, ...] = ("text", "visual")
    classes: Classes | None = 2
    task: Name = "depression"
    hidden: Width = 128
    attention: Width = 128
    heads: Count = 8
    dropout: Rate = traceable(0.2)

    @nn.compact
    def __call__(self, inputs: Inputs, train: bool = False) -> dict[str, Prediction]:
        """Returns `{task: [B, classes]}` logits, or `{task: [B]}` scores."""
        check_names(self.modalities)
        vectors = [self._encode(name, *frames(inputs, name, self)) for name in self.modalities]
        return {self.task: join(vectors, self.classes, self.dropout, train)}  # eq. 5

    def _encode(self, name: str, x: Sequence, mask: Mask | None) -> Summary:
        """One vector per head, [B, heads * 2 hidden]."""
        states = LSTM(self.hidden, bidirectional=True, name=f"lstm.{name}")(x, mask)  # eq. 1
        scores = _Scores(self.attention, self.heads, name=f"attention.{name}")(states)
        weights = masked_softmax(scores, None if mask is None else mask[:, None])  # eq. 2
        self.sow("intermediates", f"attention_{name}", weights)
        vectors = jnp.einsum("bnt,btd->bnd", weights, states)  # eq. 3
        return vectors.reshape(x.shape[0], -1)  # eq. 4


class _Scores(nn.Module):
    """Scores `W_2 tanh(W_1 h)` of each frame in each head."""

    features: int
    heads: int

    @nn.compact
    def __call__(self, x: Sequence) -> Float[Array, "batch head time"]:
        hidden = jnp.tanh(Linear(self.features, use_bias=False, name="proj")(x))
        return Linear(self.heads, use_bias=False, name="score")(hidden).swapaxes(1, 2)
