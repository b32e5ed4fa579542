"""PyTorch reference of AMM, a multi-modal multi-task network for depression and emotion.

Reference: Zhang et al., "Multi-Task Learning for Jointly Detecting Depression and Emotion",
BIBM 2021. Section and equation numbers are those of the paper.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from jaxdep.models.torch_sequences import mean, run, softmax, zero

DEFAULT_TASKS: Mapping[str, int] = {"depression": 2, "emotion": 6}


class StepAttention(nn.Module):
    """Attention weights over the steps of one modality (Eq. 2).

    Args:
      width: Width of the hidden states.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.proj = nn.Linear(width, width)
        self.score = nn.Linear(width, 1, bias=False)

    def forward(self, hidden: Tensor, mask: Tensor | None) -> Tensor:
        """Returns the weights alpha [B, n] of the hidden states [B, n, width]."""
        d = torch.tanh(self.proj(hidden))  # Eq. 2
        return softmax(self.score(d).squeeze(-1), mask)  # Eq. 2


class InterModalAttention(nn.Module):
    """Multi-head attention of one modality to another (Eq. 3 and 4).

    Args:
      query_width: Width of the querying tokens.
      key_width: Width of the tokens that give keys and values.
      features: Width of the result, all heads together.
      heads: Number of heads; each takes a contiguous slice of the features.
    """

    def __init__(self, query_width: int, key_width: int, features: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.q = nn.Linear(query_width, features)
        self.k = nn.Linear(key_width, features)
        self.v = nn.Linear(key_width, features)

    def split(self, x: Tensor) -> Tensor:
        """[B, n, features] -> [B, heads, n, features / heads]."""
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)

    def forward(
        self, query: Tensor, other: Tensor, other_mask: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Returns the attended values [B, n, features] and the weights [B, heads, n, m]."""
        q, k, v = self.split(self.q(query)), self.split(self.k(other)), self.split(self.v(other))
        keys = None if other_mask is None else other_mask[:, None, None, :]
        weights = softmax(q @ k.transpose(-1, -2) / math.sqrt(k.shape[-1]), keys)  # Eq. 3, Eq. 4
        attended = weights @ v  # Eq. 3, Eq. 4
        return attended.transpose(1, 2).flatten(-2), weights


class TaskProjections(nn.Module):
    """Query, key and value projections of one task (Eq. 6).

    Args:
      width: Width of the hidden states of the task.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.q = nn.Linear(width, width)
        self.k = nn.Linear(width, width)
        self.v = nn.Linear(width, width)


class AMM(nn.Module):
    """Attentive multi-modal multi-task network.

    Inputs: `text` [B, n_t, text_width], `visual` [B, n_v, visual_width], and, if their widths are
    not 0, `gender` [B, gender_width] and `color` [B, color_width]. `text_mask` and `visual_mask`
    are boolean [B, n], true where a frame is real; without them, all frames are real.

    After a forward pass, `attention` holds `alpha_text` and `alpha_visual` [B, n], `t2v/attention`
    and `v2t/attention` [B, heads, queries, keys], and `attention_<task>` [B, steps, steps], where
    `<task>` is the querying task.

    Args:
      text_width: Width of the text frames; 0 if there is no text.
      visual_width: Width of the visual frames; 0 if there is no visual input.
      gender_width: Width of the gender vector; 0 if there is none.
      color_width: Width of the color histogram; 0 if there is none.
      modalities: Modalities to read.
      tasks: Number of classes of each task.
      text_hidden: Hidden size of the text GRU, in each direction.
      visual_hidden: Hidden size of the visual GRU.
      features: Width of the fused representation.
      heads: Number of heads of the attention between modalities.
      task_hidden: Hidden size of the LSTM of each task.
      tokens: "sequence" keeps the summands of the weighted sum of Eq. 2 as steps, "pooled" sums
        them to one vector per modality.
      inter_modal: Whether modalities attend to each other.
      inter_task: Whether the two tasks attend to each other.
      residual: Whether the attention between tasks adds the querying states to its result.
      dropout: Dropout probability before the classifiers.
    """

    def __init__(
        self,
        *,
        text_width: int = 0,
        visual_width: int = 0,
        gender_width: int = 0,
        color_width: int = 0,
        modalities: Sequence[str] = ("text", "visual"),
        tasks: Mapping[str, int] = DEFAULT_TASKS,
        text_hidden: int = 384,
        visual_hidden: int = 768,
        features: int = 768,
        heads: int = 8,
        task_hidden: int = 256,
        tokens: str = "sequence",
        inter_modal: bool = True,
        inter_task: bool = True,
        residual: bool = False,
        dropout: float = 0.2,
    ) -> None:
        super().__init__()
        if unknown := set(modalities) - {"text", "visual"}:
            raise ValueError(f"unknown modalities: {sorted(unknown)}")
        if tokens not in ("sequence", "pooled"):
            raise ValueError(f'tokens must be "sequence" or "pooled", not {tokens!r}')
        if not tasks or len({task[:3] for task in tasks}) < len(tasks):
            raise ValueError("tasks must differ in their first three letters")
        if inter_task and len(tasks) > 2:
            raise ValueError("attention between tasks is for exactly two tasks")
        if inter_modal and features % heads:
            raise ValueError("features must be a multiple of heads")
        self.tasks = {task: task[:3] for task in tasks}
        self.tokens = tokens
        self.inter_modal = inter_modal
        self.inter_task = inter_task and len(tasks) == 2
        self.residual = residual
        self.has_text = "text" in modalities and text_width > 0
        self.has_visual = "visual" in modalities and visual_width > 0
        self.has_gender = self.has_text and gender_width > 0
        self.has_color = self.has_visual and color_width > 0
        self.attention: dict[str, Tensor] = {}

        widths = []
        if self.has_text:
            self.text_gru = nn.GRU(text_width, text_hidden, batch_first=True, bidirectional=True)
            self.text_attention = StepAttention(2 * text_hidden)
            widths.append(2 * text_hidden + gender_width)
        if self.has_visual:
            self.visual_gru = nn.GRU(visual_width, visual_hidden, batch_first=True)
            self.visual_attention = StepAttention(visual_hidden)
            widths.append(visual_hidden + color_width)
        if not widths:
            raise ValueError("there is no modality to read")
        if inter_modal and self.has_text:
            self.t2v = InterModalAttention(widths[0], widths[-1], features, heads)
        if inter_modal and self.has_visual:
            self.v2t = InterModalAttention(widths[-1], widths[0], features, heads)
        self.fused_width = features if inter_modal else max(widths)
        for short in self.tasks.values():
            lstm = nn.LSTM(self.fused_width, task_hidden, batch_first=True)
            self.add_module(f"lstm_{short}", lstm)
        if self.inter_task:
            self.task_attention = nn.ModuleDict(
                {short: TaskProjections(task_hidden) for short in self.tasks.values()}
            )
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.ModuleDict(
            {self.tasks[task]: nn.Linear(task_hidden, classes) for task, classes in tasks.items()}
        )
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draws weight matrices from U(-0.1, 0.1) and sets biases to zero (Sec. IV-A)."""
        for parameter in self.parameters():
            if parameter.ndim > 1:
                nn.init.uniform_(parameter, -0.1, 0.1)
            else:
                nn.init.zeros_(parameter)

    def weigh(
        self, name: str, hidden: Tensor, knowledge: Tensor | None, mask: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        """Weighted hidden states with the knowledge vector appended, and their mask."""
        alpha = getattr(self, f"{name}_attention")(hidden, mask)
        self.attention[f"alpha_{name}"] = alpha.detach()
        h = alpha[..., None] * hidden  # Eq. 2, the summands
        if self.tokens == "pooled":
            h = h.sum(1, keepdim=True)  # Eq. 2
            mask = None if mask is None else mask.any(1, keepdim=True)
        if knowledge is not None:
            h = torch.cat([h, knowledge[:, None].expand(-1, h.shape[1], -1)], -1)  # Sec. III-C
        return h, mask

    def encode(self, inputs: dict[str, Tensor]) -> dict[str, tuple[Tensor, Tensor | None]]:
        """Textual and visual encoders with external knowledge (Sec. III-B and III-C)."""
        encoded = {}
        if self.has_text:
            mask = inputs.get("text_mask")
            hidden = run(self.text_gru, zero(inputs["text"], mask), mask)  # H, Sec. III-B.1
            gender = inputs["gender"] if self.has_gender else None
            encoded["text"] = self.weigh("text", hidden, gender, mask)
        if self.has_visual:
            mask = inputs.get("visual_mask")
            hidden = run(self.visual_gru, zero(inputs["visual"], mask), mask)  # H, Sec. III-B.2
            color = inputs["color"] if self.has_color else None
            encoded["visual"] = self.weigh("visual", hidden, color, mask)
        return encoded

    def attend(self, name: str, query: Tensor, other: tuple[Tensor, Tensor | None]) -> Tensor:
        """Attention of one modality to another, or to itself if it is the only one."""
        attended, weights = getattr(self, name)(query, *other)
        self.attention[f"{name}/attention"] = weights.detach()
        return attended

    def fuse(
        self, encoded: dict[str, tuple[Tensor, Tensor | None]]
    ) -> tuple[Tensor, Tensor | None]:
        """Multi-modal representation M [B, steps, *] and its mask (Sec. III-D)."""
        text, visual = encoded.get("text"), encoded.get("visual")
        if self.inter_modal:
            parts = []
            if text is not None:
                parts.append(self.attend("t2v", text[0], visual or text))  # Eq. 3
            if visual is not None:
                parts.append(self.attend("v2t", visual[0], text or visual))  # Eq. 4
        else:
            parts = [
                functional.pad(h, (0, self.fused_width - h.shape[-1])) for h, _ in encoded.values()
            ]
        return torch.cat(parts, 1), joined([mask for _, mask in encoded.values()], parts)  # Eq. 5

    def exchange(
        self, task: str, other: str, states: dict[str, Tensor], mask: Tensor | None
    ) -> Tensor:
        """Attention of one task to the other (Sec. III-E)."""
        a, b = (self.task_attention[self.tasks[name]] for name in (task, other))
        assert isinstance(a, TaskProjections)
        assert isinstance(b, TaskProjections)
        q, k, v = a.q(states[task]), b.k(states[other]), b.v(states[other])
        keys = None if mask is None else mask[:, None, :]
        weights = softmax(q @ k.transpose(-1, -2), keys)  # Eq. 6
        self.attention[f"attention_{task}"] = weights.detach()
        h = weights @ v  # Eq. 6
        return h + states[task] if self.residual else h

    def forward(self, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        """Returns the logits [B, classes] of each task."""
        self.attention = {}
        m, mask = self.fuse(self.encode(inputs))
        states = {
            task: run(getattr(self, f"lstm_{short}"), m, mask)  # Eq. 6
            for task, short in self.tasks.items()
        }
        if self.inter_task:
            first, second = self.tasks
            states = {
                first: self.exchange(first, second, states, mask),  # Eq. 6
                second: self.exchange(second, first, states, mask),  # Eq. 6
            }
        return {
            task: self.classifier[short](self.dropout(mean(states[task], mask)))  # Sec. III-F
            for task, short in self.tasks.items()
        }


def joined(masks: list[Tensor | None], parts: list[Tensor]) -> Tensor | None:
    """Mask of concatenated sequences; a missing mask means that all steps are real."""
    if all(mask is None for mask in masks):
        return None
    return torch.cat(
        [
            torch.ones(part.shape[:2], dtype=torch.bool, device=part.device)
            if mask is None
            else mask
            for mask, part in zip(masks, parts, strict=True)
        ],
        1,
    )
