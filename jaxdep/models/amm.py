"""AMM: attentive multi-modal multi-task learning (Zhang et al., BIBM 2021)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any, Literal, NamedTuple

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array

from jaxdep.errors import ModelError
from jaxdep.models.inputs import check_modalities, require
from jaxdep.nn import initializers, masking
from jaxdep.nn.attention import CrossAttention, ScoreAttention
from jaxdep.nn.dropout import Dropout
from jaxdep.nn.fusion import TaskProjection, task_attention
from jaxdep.nn.linear import Linear
from jaxdep.nn.recurrent import GRU, LSTM
from jaxdep.types import Inputs, Logits, Mask, Sequence

_INIT: dict[str, Any] = {
    "weight_init": initializers.uniform(0.1),
    "bias_init": initializers.zeros,
}


class Steps(NamedTuple):
    """Steps of a modality [B, L, D], and which of them are real; None: all."""

    x: Sequence
    mask: Mask | None


class AMM(nn.Module):
    """Depression and emotion from text and images, by attention between modalities and tasks.

    Reads those of `text` [B, n_t, *] and `visual` [B, n_v, *] that `modalities` names, with
    optional masks, and `gender` [B, *] beside the text and `color` [B, *] beside the images where
    the inputs have them. The paper lists ReLU among its settings but places none in its equations,
    so there is none here.
    """

    modalities: tuple[str, ...] = ("text", "visual")
    tasks: Mapping[str, int] = field(default_factory=lambda: {"depression": 2, "emotion": 6})
    text_hidden: int = 384  # of a direction, so h_i has twice as many
    visual_hidden: int = 768
    features: int = 768  # of the inter-modal attention
    heads: int = 8  # H
    task_hidden: int = 256
    tokens: Literal["sequence", "pooled"] = "sequence"  # pooled: as printed, M has 2 steps
    inter_modal: bool = True  # False: "No I_e" of Table V
    inter_task: bool = True  # False: both tasks without attention between them
    residual: bool = False  # around the inter-task attention
    dropout: float = 0.2

    @nn.compact
    def __call__(self, inputs: Inputs, train: bool = False) -> dict[str, Logits]:
        """Returns logits [B, C] of each task."""
        check_modalities(self.modalities, ("text", "visual"))
        if not self.tasks:
            raise ModelError("tasks are classes by name, such as depression=2; there are none")
        streams = {name: self._encode(inputs, name) for name in self.modalities}
        m = self._between_modalities(streams)
        states = self._between_tasks(m)
        outputs = {}
        for task, classes in self.tasks.items():
            pooled = masking.masked_mean(states[task], m.mask)
            dropped = Dropout(self.dropout, name=f"dropout.{_short(task)}")(pooled, train)
            outputs[task] = Linear(classes, name=f"classifier.{_short(task)}", **_INIT)(dropped)
        return outputs

    def _encode(self, inputs: Inputs, name: str) -> Steps:
        """The summands of h^t or h^v (eq. 2), each with the knowledge vector appended (III.C)."""
        x, mask = require(inputs, name, self), inputs.get(f"{name}_mask")
        if name == "text":
            gru, knowledge = (
                GRU(self.text_hidden, bidirectional=True, name="text_gru", **_INIT),
                "gender",
            )
        else:
            gru, knowledge = GRU(self.visual_hidden, name="visual_gru", **_INIT), "color"
        h = gru(x, mask)
        alpha = ScoreAttention(h.shape[-1], name=f"{name}_attention", **_INIT)(h, mask)  # eq. 2
        self.sow("intermediates", f"alpha_{name}", alpha)
        summands = alpha[..., None] * h
        if self.tokens == "pooled":
            summands = summands.sum(1, keepdims=True)  # eq. 2: h^t = alpha H
            mask = None if mask is None else mask.any(1, keepdims=True)
        return Steps(_append(summands, inputs.get(knowledge)), mask)

    def _between_modalities(self, streams: Mapping[str, Steps]) -> Steps:
        """M: what each modality reads of the other (eq. 3-4), one after the other (eq. 5).

        One modality alone attends to itself. Without attention the two sequences follow one
        another, the narrower filled with zeros.
        """
        ordered = {name: streams[name] for name in ("text", "visual") if name in streams}
        if self.inter_modal:
            read = []
            for (name, query), memory in zip(
                ordered.items(), reversed(ordered.values()), strict=True
            ):
                way = "t2v" if name == "text" else "v2t"
                attention = CrossAttention(self.features, self.heads, name=way, **_INIT)
                read.append(attention(query.x, memory.x, memory.mask))  # eq. 3, 4
        else:
            width = max(steps.x.shape[-1] for steps in ordered.values())
            fill = lambda x: jnp.pad(x, ((0, 0), (0, 0), (0, width - x.shape[-1])))
            read = [fill(steps.x) for steps in ordered.values()]
        return Steps(jnp.concatenate(read, axis=1), _join(list(ordered.values())))  # eq. 5

    def _between_tasks(self, m: Steps) -> dict[str, Sequence]:
        """An LSTM for each task, and the attention between two tasks (eq. 6)."""
        own = {
            task: LSTM(self.task_hidden, name=f"lstm_{_short(task)}", **_INIT)(m.x, m.mask)
            for task in self.tasks
        }
        if len(self.tasks) == 1 or not self.inter_task:
            return own
        if len(self.tasks) != 2:
            raise ModelError(
                f"attention is between two tasks; got {', '.join(self.tasks)}: leave tasks out, or"
                " set model.inter_task=False"
            )
        project = lambda task: TaskProjection(
            self.task_hidden, name=f"task_attention.{_short(task)}", **_INIT
        )
        projected = {task: project(task)(h) for task, h in own.items()}
        read = {}
        for task, other in zip(own, reversed(own), strict=True):
            query, (_, key, value) = projected[task][0], projected[other]
            read[task], weights = task_attention(query, key, value, m.mask)
            self.sow("intermediates", f"attention_{task}", weights)
        return {task: h + own[task] for task, h in read.items()} if self.residual else read


def _short(task: str) -> str:
    """A task in the names of weights: its first three letters."""
    return task[:3]


def _append(x: Sequence, vector: Array | None) -> Sequence:
    """Appends a knowledge vector [B, d] to every step."""
    if vector is None:
        return x
    spread = jnp.broadcast_to(vector[:, None], (*x.shape[:2], vector.shape[-1]))
    return jnp.concatenate([x, spread], axis=-1)


def _join(streams: list[Steps]) -> Mask | None:
    """The mask of sequences one after the other: it may have a hole."""
    if all(mask is None for _, mask in streams):
        return None
    masks = [jnp.ones(x.shape[:2], bool) if mask is None else mask for x, mask in streams]
    return jnp.concatenate(masks, axis=1)
