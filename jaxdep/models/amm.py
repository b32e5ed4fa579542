"""AMM: attentive multi-modal multi-task learning (Zhang et al., BIBM 2021)."""

from __future__ import annotations

from typing import Any, Literal

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array

from jaxdep.errors import ModelError
from jaxdep.models.inputs import require
from jaxdep.nn import initializers, masking
from jaxdep.nn.attention import CrossAttention, ScoreAttention
from jaxdep.nn.dropout import Dropout
from jaxdep.nn.fusion import TaskProjection, task_attention
from jaxdep.nn.linear import Linear
from jaxdep.nn.recurrent import GRU, LSTM
from jaxdep.types import Inputs, Logits, Mask, Sequence

_SHORT = {"depression": "dep", "emotion": "emo"}
_INIT: dict[str, Any] = {
    "weight_init": initializers.uniform(0.1),
    "bias_init": initializers.zeros,
}


class AMM(nn.Module):
    """Depression and emotion from text and images, by attention between modalities and tasks.

    Reads `text` [B, n_t, *] and `visual` [B, n_v, *], or one of them, with optional masks, and
    `gender` [B, *] and `color` [B, *] where there are any. The paper lists ReLU among its settings
    but places none in its equations, so there is none here.
    """

    tasks: tuple[str, ...] = ("depression", "emotion")
    text_hidden: int = 384  # of a direction, so h_i has twice as many
    visual_hidden: int = 768
    features: int = 768  # of the inter-modal attention
    heads: int = 8  # H
    task_hidden: int = 256
    tokens: Literal["sequence", "pooled"] = "sequence"  # pooled: as printed, M has 2 steps
    inter_modal: bool = True  # False: "No Ie" of Table V
    inter_task: bool = True  # False: "No It" of Table V
    residual: bool = False  # around the inter-task attention
    dropout: float = 0.2
    depression_classes: int = 2
    emotion_classes: int = 6

    @nn.compact
    def __call__(self, inputs: Inputs, train: bool = False) -> dict[str, Logits]:
        """Returns logits [B, C] of each task."""
        unknown = set(self.tasks) - set(_SHORT)
        if unknown or not self.tasks:
            raise ModelError(f"tasks must be of {', '.join(_SHORT)}; got {self.tasks}")
        streams = self._encoders(inputs)
        m, mask = self._modalities(streams)
        states = self._tasks(m, mask)
        outputs = {}
        for task in self.tasks:
            pooled = masking.masked_mean(states[task], mask)
            dropped = Dropout(self.dropout, name=f"dropout.{_SHORT[task]}")(pooled, train)
            classes = getattr(self, f"{task}_classes")
            classifier = Linear(classes, name=f"classifier.{_SHORT[task]}", **_INIT)
            outputs[task] = classifier(dropped)
        return outputs

    def _encoders(self, inputs: Inputs) -> dict[str, tuple[Sequence, Mask | None]]:
        """Summands of h^t and h^v with their knowledge vectors, for each modality that is there."""
        recurrent = {
            "text": GRU(self.text_hidden, bidirectional=True, name="text_gru", **_INIT),
            "visual": GRU(self.visual_hidden, name="visual_gru", **_INIT),
        }
        present = [name for name in recurrent if name in inputs]
        if not present:
            require(inputs, "text", "AMM")
        knowledge = {"text": inputs.get("gender"), "visual": inputs.get("color")}
        streams = {}
        for name in present:
            x, mask = require(inputs, name, "AMM"), inputs.get(f"{name}_mask")
            h = recurrent[name](x, mask)
            score = ScoreAttention(h.shape[-1], name=f"{name}_attention", **_INIT)
            alpha = score(h, mask)  # eq. 2
            self.sow("intermediates", f"alpha_{name}", alpha)
            steps = alpha[..., None] * h
            if self.tokens == "pooled":
                steps, mask = steps.sum(1, keepdims=True), _any(mask)
            streams[name] = _append(steps, knowledge[name]), mask
        return streams

    def _modalities(
        self, streams: dict[str, tuple[Sequence, Mask | None]]
    ) -> tuple[Sequence, Mask | None]:
        """Inter-modal attention (eq. 3-5): M, the steps of both directions one after the other.

        One modality alone attends to itself. Without attention the two sequences follow one
        another, the narrower filled with zeros.
        """
        names = list(streams)
        if self.inter_modal:
            read = []
            for name in names:
                (query, _), (memory, mask) = streams[name], streams[_other(names, name)]
                way = "t2v" if name == "text" else "v2t"
                attention = CrossAttention(self.features, self.heads, name=way, **_INIT)
                read.append(attention(query, memory, mask))
        else:
            width = max(x.shape[-1] for x, _ in streams.values())
            fill = lambda x: jnp.pad(x, ((0, 0), (0, 0), (0, width - x.shape[-1])))
            read = [fill(x) for x, _ in streams.values()]
        return jnp.concatenate(read, axis=1), _join([streams[name] for name in names])

    def _tasks(self, m: Sequence, mask: Mask | None) -> dict[str, Sequence]:
        """An LSTM for each task, and the attention between the tasks (eq. 6)."""
        own = {
            task: LSTM(self.task_hidden, name=f"lstm_{_SHORT[task]}", **_INIT)(m, mask)
            for task in self.tasks
        }
        if len(self.tasks) == 1 or not self.inter_task:
            return own
        projected = {
            task: TaskProjection(self.task_hidden, name=f"task_attention.{_SHORT[task]}", **_INIT)(
                h
            )
            for task, h in own.items()
        }
        read = {}
        for task, other in (self.tasks, self.tasks[::-1]):
            query, (_, key, value) = projected[task][0], projected[other]
            read[task], weights = task_attention(query, key, value, mask)
            self.sow("intermediates", f"attention_{task}", weights)
        return {task: h + own[task] for task, h in read.items()} if self.residual else read


def _append(x: Sequence, vector: Array | None) -> Sequence:
    """Appends a knowledge vector [B, d] to every step."""
    if vector is None:
        return x
    spread = jnp.broadcast_to(vector[:, None], (*x.shape[:2], vector.shape[-1]))
    return jnp.concatenate([x, spread], axis=-1)


def _other(names: list[str], name: str) -> str:
    return next((other for other in names if other != name), name)


def _any(mask: Mask | None) -> Mask | None:
    return None if mask is None else mask.any(1, keepdims=True)


def _join(streams: list[tuple[Sequence, Mask | None]]) -> Mask | None:
    """The mask of sequences one after the other: it may have a hole."""
    if all(mask is None for _, mask in streams):
        return None
    masks = [jnp.ones(x.shape[:2], bool) if mask is None else mask for x, mask in streams]
    return jnp.concatenate(masks, axis=1)
