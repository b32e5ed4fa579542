"""HAN: hierarchical attention over the words of segments, and over segments."""

from __future__ import annotations

import flax.linen as nn
import jax.numpy as jnp

from jaxdep.models.baselines.head import Prediction, Summary, join
from jaxdep.models.baselines.streams import Modality, check_names, frames
from jaxdep.nn.attention import ScoreAttention
from jaxdep.nn.rnn import GRU
from jaxdep.settings.kinds import Classes, Count, Name, Rate, Width
from jaxdep.types import Inputs, Mask, Scores, Sequence, traceable


class HAN(nn.Module):
    """Classifies or scores recordings by attention over words, then over segments of words.

    After Yang et al., NAACL 2016; the sentences are segments of equal length (reading 1).

    Inputs: for each modality m, a sequence `m` [B, T_m, D_m] with an optional mask `m_mask`
    [B, T_m], or a vector [B, D_m]. Equation numbers are those of README.md.

    Attributes:
      modalities: names of the inputs.
      classes: number of classes; None: one score per recording.
      task: key of the output.
      hidden: units per direction of the GRUs.
      attention: width of the attention layers.
      segment: frames of a segment.
      dropout: rate before the classifier.

    Sown: the weights of the words, `alpha_word_m` [B, S, segment], and of the segments,
    `alpha_sentence_m` [B, S].
    """

    modalities: tuple[Modality, ...] = ("text", "visual")
    classes: Classes | None = 2
    task: Name = "depression"
    hidden: Width = 50
    attention: Width = 100
    segment: Count = 8
    dropout: Rate = traceable(0.2)

    @nn.compact
    def __call__(self, inputs: Inputs, train: bool = False) -> dict[str, Prediction]:
        """Returns `{task: [B, classes]}` logits, or `{task: [B]}` scores."""
        check_names(self.modalities)
        vectors = [self._encode(name, *frames(inputs, name, self)) for name in self.modalities]
        return {self.task: join(vectors, self.classes, self.dropout, train)}  # eq. 10

    def _encode(self, name: str, x: Sequence, mask: Mask | None) -> Summary:
        """Vector of a modality, [B, 2 hidden]."""
        batch, length, width = x.shape
        mask = jnp.ones((batch, length), bool) if mask is None else mask
        segments = -(-length // self.segment)
        missing = segments * self.segment - length
        words = jnp.pad(x, ((0, 0), (0, missing), (0, 0))).reshape(-1, self.segment, width)
        real = jnp.pad(mask, ((0, 0), (0, missing))).reshape(-1, self.segment)  # eq. 1

        sentences, alpha = self._attend("word", name, words, real)  # eq. 2-5
        self.sow("intermediates", f"alpha_word_{name}", alpha.reshape(batch, segments, -1))
        sentences = sentences.reshape(batch, segments, -1)
        vector, alpha = self._attend(
            "sentence", name, sentences, real.any(1).reshape(batch, segments)
        )  # eq. 6-9
        self.sow("intermediates", f"alpha_sentence_{name}", alpha)
        return vector

    def _attend(self, level: str, name: str, x: Sequence, mask: Mask) -> tuple[Summary, Scores]:
        """Encodes a sequence and averages its states by attention; the average and the weights."""
        states = GRU(self.hidden, bidirectional=True, name=f"{level}_gru.{name}")(x, mask)
        alpha = ScoreAttention(self.attention, name=f"{level}_attention.{name}")(states, mask)
        return (alpha[..., None] * states).sum(1), alpha
