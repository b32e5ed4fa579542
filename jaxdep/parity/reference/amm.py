"""AMM in PyTorch (Zhang et al., BIBM 2021)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from jaxdep.parity.reference import sequences

_SHORT = {"depression": "dep", "emotion": "emo"}
_KNOWLEDGE = {"text": "gender", "visual": "color"}
Stream = tuple[Tensor, Tensor | None]


class ScoreAttention(nn.Module):
    """Eq. 2."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.proj = nn.Linear(width, width)
        self.score = nn.Linear(width, 1, bias=False)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        return sequences.softmax(self.score(torch.tanh(self.proj(x)))[..., 0], mask)


class Projections(nn.Module):
    """Linear q, k and v."""

    def __init__(self, query: int, memory: int, features: int) -> None:
        super().__init__()
        self.q = nn.Linear(query, features)
        self.k = nn.Linear(memory, features)
        self.v = nn.Linear(memory, features)


class AMM(nn.Module):
    """Twin of `jaxdep.models.AMM`: the same fields, the state names of a checkpoint."""

    def __init__(self, fields: dict[str, Any], shapes: dict[str, tuple[int, ...]]) -> None:
        super().__init__()
        self.fields = fields
        widths = {}
        if "text" in shapes:
            hidden = fields["text_hidden"]
            self.text_gru = nn.GRU(shapes["text"][2], hidden, batch_first=True, bidirectional=True)
            self.text_attention = ScoreAttention(2 * hidden)
            widths["text"] = 2 * hidden + shapes.get("gender", (0, 0))[1]
        if "visual" in shapes:
            hidden = fields["visual_hidden"]
            self.visual_gru = nn.GRU(shapes["visual"][2], hidden, batch_first=True)
            self.visual_attention = ScoreAttention(hidden)
            widths["visual"] = hidden + shapes.get("color", (0, 0))[1]
        self.names = list(widths)
        if fields["inter_modal"]:
            for name in self.names:
                way = Projections(widths[name], widths[self._other(name)], fields["features"])
                setattr(self, "t2v" if name == "text" else "v2t", way)
        width = fields["features"] if fields["inter_modal"] else max(widths.values())
        self.tasks, hidden = fields["tasks"], fields["task_hidden"]
        short = [_SHORT[task] for task in self.tasks]
        for task in short:
            setattr(self, f"lstm_{task}", nn.LSTM(width, hidden, batch_first=True))
        self.between = fields["inter_task"] and len(self.tasks) == 2
        if self.between:
            self.task_attention = nn.ModuleDict(
                {task: Projections(hidden, hidden, hidden) for task in short}
            )
        classes = [fields[f"{task}_classes"] for task in self.tasks]
        self.classifier = nn.ModuleDict(
            {task: nn.Linear(hidden, c) for task, c in zip(short, classes, strict=True)}
        )

    def forward(self, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        streams = {name: self._encode(inputs, name) for name in self.names}
        m, mask = self._modalities(streams)
        states = {
            task: sequences.run(getattr(self, f"lstm_{_SHORT[task]}"), m, mask)
            for task in self.tasks
        }
        if self.between:
            states = {task: self._read(task, states, mask) for task in self.tasks}
        return {
            task: self.classifier[_SHORT[task]](sequences.mean(states[task], mask))
            for task in self.tasks
        }

    def _encode(self, inputs: dict[str, Tensor], name: str) -> Stream:
        x, mask = inputs[name], inputs.get(f"{name}_mask")
        if mask is not None:
            x = x * mask[..., None]
        h = sequences.run(getattr(self, f"{name}_gru"), x, mask)
        alpha = getattr(self, f"{name}_attention")(h, mask)
        steps = alpha[..., None] * h
        if self.fields["tokens"] == "pooled":
            steps = steps.sum(1, keepdim=True)
            mask = None if mask is None else mask.any(1, keepdim=True)
        knowledge = inputs.get(_KNOWLEDGE[name])
        if knowledge is not None:
            spread = knowledge[:, None].expand(-1, steps.shape[1], -1)
            steps = torch.cat([steps, spread], -1)
        return steps, mask

    def _modalities(self, streams: dict[str, Stream]) -> Stream:
        if self.fields["inter_modal"]:
            read = [self._attend(name, streams) for name in self.names]
        else:
            width = max(x.shape[-1] for x, _ in streams.values())
            read = [functional.pad(x, (0, width - x.shape[-1])) for x, _ in streams.values()]
        masks = [mask for _, mask in streams.values()]
        joined = None
        if any(mask is not None for mask in masks):
            ones = [x.new_ones(x.shape[:2], dtype=torch.bool) for x, _ in streams.values()]
            joined = torch.cat(
                [one if mask is None else mask for one, mask in zip(ones, masks, strict=True)], 1
            )
        return torch.cat(read, 1), joined

    def _attend(self, name: str, streams: dict[str, Stream]) -> Tensor:
        """Eq. 3-5: one direction of the inter-modal attention."""
        way = getattr(self, "t2v" if name == "text" else "v2t")
        query, (memory, mask) = streams[name][0], streams[self._other(name)]
        split = lambda y: y.unflatten(-1, (self.fields["heads"], -1)).transpose(1, 2)
        q, k, v = split(way.q(query)), split(way.k(memory)), split(way.v(memory))
        keys = None if mask is None else mask[:, None, None, :]
        weights = sequences.softmax(q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5, keys)
        return (weights @ v).transpose(1, 2).flatten(2)

    def _read(self, task: str, states: dict[str, Tensor], mask: Tensor | None) -> Tensor:
        """Eq. 6: the states of a task read those of the other."""
        other = next(each for each in self.tasks if each != task)
        own, others = (self.task_attention[_SHORT[each]] for each in (task, other))
        scores = own.q(states[task]) @ others.k(states[other]).transpose(1, 2)
        weights = sequences.softmax(scores, None if mask is None else mask[:, None, :])
        read = weights @ others.v(states[other])
        return read + states[task] if self.fields["residual"] else read

    def _other(self, name: str) -> str:
        return next((other for other in self.names if other != name), name)
