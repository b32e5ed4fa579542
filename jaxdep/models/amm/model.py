"""AMM: attentive multi-modal multi-task learning (Zhang et al., BIBM 2021)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Annotated, Any, Literal, NamedTuple

import flax.linen as nn
import jax.numpy as jnp

from jaxdep.errors import ModelError
from jaxdep.models.inputs import check_modalities, require
from jaxdep.nn import initializers, masking
from jaxdep.nn.attention import CrossAttention, ScoreAttention
from jaxdep.nn.dropout import Dropout
from jaxdep.nn.fusion import TaskProjection, task_attention
from jaxdep.nn.linear import Linear
from jaxdep.nn.rnn import GRU, LSTM
from jaxdep.settings.kinds import Classes, OneOf, Rate, Width
from jaxdep.types import Array, Encoding, Inputs, Logits, Mask, Sequence, traceable

_INIT: dict[str, Any] = {
    "weight_init": initializers.uniform(0.1),
    "bias_init": initializers.zeros,
}

MODALITIES = ("text", "visual")
Modality = Annotated[str, OneOf(MODALITIES)]


class Steps(NamedTuple):
    """Steps of a modality [B, L, D] and their mask [B, L]; None: all steps are real."""

    x: Sequence
    mask: Mask | None


class AMM(nn.Module):
    """Classifies depression and emotion by attention between modalities and between tasks.

    Inputs: those of `text` [B, n_t, *] and `visual` [B, n_v, *] that are listed in `modalities`,
    with optional masks; optionally `gender` [B, *] with the text and `color` [B, *] with the
    images. The paper lists ReLU among its settings, but its equations contain none, so the model
    has none. "Reading 1" etc. refer to the rows of "What the paper leaves open" in README.md.
    """

    modalities: tuple[Modality, ...] = MODALITIES
    tasks: Mapping[str, Classes] = field(default_factory=lambda: {"depression": 2, "emotion": 6})
    text_hidden: Width = 384  # per direction, so h_i has twice as many features
    visual_hidden: Width = 768
    features: Width = 768  # width of the inter-modal attention
    heads: Width = 8  # number of heads H
    task_hidden: Width = 256
    tokens: Literal["sequence", "pooled"] = "sequence"  # pooled: 2 steps, as printed; reading 1
    inter_modal: bool = True  # False: "No I_e" of Table V; reading 10
    inter_task: bool = True  # False: no attention between the tasks; not "No I_t": reading 13
    residual: bool = False  # around the inter-task attention; reading 14
    dropout: Rate = traceable(0.2)

    def __post_init__(self) -> None:
        """Checks that the settings are consistent."""
        super().__post_init__()
        check_modalities(self.modalities, MODALITIES)
        if not self.tasks:
            raise ModelError(
                "tasks must not be empty: set numbers of classes by name, such as depression=2"
            )

    @nn.compact
    def __call__(self, inputs: Inputs, train: bool = False) -> dict[str, Logits]:
        """Returns logits [B, C] of each task."""
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
        """Returns the summands of h^t or h^v (eq. 2) with the knowledge vector appended (III.C)."""
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
        """Attention of each modality to the other (eq. 3-4), concatenated in time to M (eq. 5).

        A single modality attends to itself (reading 9). Without attention, the two sequences are
        concatenated in time, the narrower one padded with zeros (reading 10).
        """
        ordered = {name: streams[name] for name in MODALITIES if name in streams}
        if self.inter_modal:
            attended = []
            for (name, query), memory in zip(
                ordered.items(), reversed(ordered.values()), strict=True
            ):
                direction = "t2v" if name == "text" else "v2t"
                attention = CrossAttention(self.features, self.heads, name=direction, **_INIT)
                attended.append(attention(query.x, memory.x, memory.mask))  # eq. 3, 4
        else:
            width = max(steps.x.shape[-1] for steps in ordered.values())
            pad = lambda x: jnp.pad(x, ((0, 0), (0, 0), (0, width - x.shape[-1])))
            attended = [pad(steps.x) for steps in ordered.values()]
        return Steps(jnp.concatenate(attended, axis=1), _join(list(ordered.values())))  # eq. 5

    def _between_tasks(self, m: Steps) -> dict[str, Sequence]:
        """Applies an LSTM per task and the attention between two tasks (eq. 6)."""
        states = {
            task: LSTM(self.task_hidden, name=f"lstm_{_short(task)}", **_INIT)(m.x, m.mask)
            for task in self.tasks
        }
        if len(self.tasks) == 1 or not self.inter_task:
            return states
        if len(self.tasks) != 2:
            raise ModelError(
                f"inter-task attention requires two tasks; got {', '.join(self.tasks)}: remove"
                " tasks or set model.inter_task=False"
            )
        project = lambda task: TaskProjection(
            self.task_hidden, name=f"task_attention.{_short(task)}", **_INIT
        )
        projected = {task: project(task)(h) for task, h in states.items()}
        mixed = {}
        for task, other in zip(states, reversed(states), strict=True):
            query, (_, key, value) = projected[task][0], projected[other]
            mixed[task], weights = task_attention(query, key, value, m.mask)
            self.sow("intermediates", f"attention_{task}", weights)
        return {task: h + states[task] for task, h in mixed.items()} if self.residual else mixed


def _short(task: str) -> str:
    """Short name of a task in parameter names: its first three letters."""
    return task[:3]


def _append(x: Sequence, vector: Array | None) -> Encoding:
    """Appends a knowledge vector [B, d] to every step."""
    if vector is None:
        return x
    spread = jnp.broadcast_to(vector[:, None], (*x.shape[:2], vector.shape[-1]))
    return jnp.concatenate([x, spread], axis=-1)


def _join(streams: list[Steps]) -> Mask | None:
    """Mask of the concatenated sequences, which may have gaps."""
    if all(mask is None for _, mask in streams):
        return None
    masks = [jnp.ones(x.shape[:2], bool) if mask is None else mask for x, mask in streams]
    return jnp.concatenate(masks, axis=1)
