"""AMM in PyTorch (Zhang et al., BIBM 2021)."""

from __future__ import annotations

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
    """Twin of `jaxdep.models.AMM`: the same fields, the state names of a checkpoint.

    Further arguments are what Flax takes from its inputs: the features of each; 0: not there.
    """

    def __init__(
        self,
        *,
        text_width: int = 0,
        visual_width: int = 0,
        gender_width: int = 0,
        color_width: int = 0,
        tasks: tuple[str, ...] = ("depression", "emotion"),
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
        depression_classes: int = 2,
        emotion_classes: int = 6,
    ) -> None:
        super().__init__()
        self.tasks, self.heads, self.tokens = tasks, heads, tokens
        self.inter_modal, self.residual = inter_modal, residual
        widths = {}
        if text_width:
            self.text_gru = nn.GRU(text_width, text_hidden, batch_first=True, bidirectional=True)
            self.text_attention = ScoreAttention(2 * text_hidden)
            widths["text"] = 2 * text_hidden + gender_width
        if visual_width:
            self.visual_gru = nn.GRU(visual_width, visual_hidden, batch_first=True)
            self.visual_attention = ScoreAttention(visual_hidden)
            widths["visual"] = visual_hidden + color_width
        self.names = list(widths)
        if inter_modal:
            for name in self.names:
                way = Projections(widths[name], widths[self._other(name)], features)
                setattr(self, "t2v" if name == "text" else "v2t", way)
        width = features if inter_modal else max(widths.values())
        short = [_SHORT[task] for task in tasks]
        for task in short:
            setattr(self, f"lstm_{task}", nn.LSTM(width, task_hidden, batch_first=True))
        self.between = inter_task and len(tasks) == 2
        if self.between:
            self.task_attention = nn.ModuleDict(
                {task: Projections(task_hidden, task_hidden, task_hidden) for task in short}
            )
        classes = {"dep": depression_classes, "emo": emotion_classes}
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.ModuleDict(
            {task: nn.Linear(task_hidden, classes[task]) for task in short}
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
            task: self.classifier[_SHORT[task]](self.dropout(sequences.mean(states[task], mask)))
            for task in self.tasks
        }

    def _encode(self, inputs: dict[str, Tensor], name: str) -> Stream:
        mask = inputs.get(f"{name}_mask")
        x = sequences.zero(inputs[name], mask)
        h = sequences.run(getattr(self, f"{name}_gru"), x, mask)
        alpha = getattr(self, f"{name}_attention")(h, mask)
        steps = alpha[..., None] * h
        if self.tokens == "pooled":
            steps = steps.sum(1, keepdim=True)
            mask = None if mask is None else mask.any(1, keepdim=True)
        knowledge = inputs.get(_KNOWLEDGE[name])
        if knowledge is not None:
            spread = knowledge[:, None].expand(-1, steps.shape[1], -1)
            steps = torch.cat([steps, spread], -1)
        return steps, mask

    def _modalities(self, streams: dict[str, Stream]) -> Stream:
        if self.inter_modal:
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
        split = lambda y: y.unflatten(-1, (self.heads, -1)).transpose(1, 2)
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
        return read + states[task] if self.residual else read

    def _other(self, name: str) -> str:
        return next((other for other in self.names if other != name), name)
