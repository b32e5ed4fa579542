"""PyTorch reference of the network released by DEP-Former's authors."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from jaxdep.models.depformer.reference.attention import (
    CrossAttention,
    ExchangingAttention,
    KeySamples,
)
from jaxdep.models.depformer.reference.encoder import Encoder, output_steps
from jaxdep.models.depformer.reference.words import first_words, real_examples


class DEPFormerReleased(nn.Module):
    """DEP-Former as released: the examples of a batch, of even size, exchange queries.

    Inputs are `visual` [B, L, visual_width] and `acoustic` [B, L', acoustic_width], optionally
    `visual_mask`, `acoustic_mask` (boolean, true where a step is real) and `draws`, the integers
    [N, words, u(words)] from which the N attentions take their key samples, in evaluation too.
    The output is `{"depression": logits [B, classes]}`.

    Args:
        visual_width: width of a flattened face.
        acoustic_width: width of the acoustic features.
        words: number of words, the first ones of a recording.
        stacks: number of stacks of an encoder.
        layers: number of layers of the first stack; each further stack has one layer fewer.
        features: width of the features.
        heads: number of attention heads.
        width: width of a head.
        feed_forward: inner width of the feed-forward blocks.
        factor: sparsity factor c of the attention.
        hidden: hidden width of the adapter.
        adapted: output width of the adapter.
        dropout: dropout probability.
        classes: number of classes.
    """

    def __init__(
        self,
        *,
        visual_width: int,
        acoustic_width: int,
        words: int = 24,
        stacks: int = 3,
        layers: int = 3,
        features: int = 224,
        heads: int = 8,
        width: int = 64,
        feed_forward: int = 32,
        factor: float = 5,
        hidden: int = 1000,
        adapted: int = 128,
        dropout: float = 0.1,
        classes: int = 2,
    ) -> None:
        super().__init__()
        self.words = words
        steps = output_steps(words, stacks, layers)
        attention = {"heads": heads, "width": width, "factor": factor}
        encoder = {
            "stacks": stacks,
            "layers": layers,
            "features": features,
            "feed_forward": feed_forward,
            "dropout": dropout,
            **attention,
        }
        sharing = ExchangingAttention(steps=steps, features=features, dropout=dropout, **attention)
        self.fc1 = nn.Linear(visual_width, hidden)
        self.fc2 = nn.Linear(acoustic_width, hidden)
        self.LN = nn.LayerNorm(hidden)
        self.fc3 = nn.Linear(hidden, adapted)
        self.encoder = Encoder(2 * adapted, None, **encoder)
        self.encoder_fv = Encoder(adapted, sharing, **encoder)
        self.cross = CrossAttention(features=features, heads=heads, width=width, dropout=dropout)
        self.fc = nn.Linear(stacks * steps * features, classes)
        self.fc4 = nn.Linear(stacks * steps * features, classes)
        self.attention: dict[str, Tensor] = {}

    def adapt(self, name: str, inputs: dict[str, Tensor]) -> Tensor:
        """Modality adapter, [B, words, adapted]."""
        first = self.fc1 if name == "visual" else self.fc2
        x = inputs[name].to(first.weight.dtype)
        x = first_words(x, inputs.get(f"{name}_mask"), self.words)
        return F.silu(self.fc3(self.LN(first(x))))  # §2

    def forward(self, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        if len(inputs["visual"]) % 2:
            raise ValueError("the batch size must be even: examples exchange queries in pairs")
        real = real_examples([inputs.get("visual_mask"), inputs.get("acoustic_mask")])
        keys = KeySamples(inputs.get("draws"), exact=False)  # §14

        face, voice = self.adapt("visual", inputs), self.adapt("acoustic", inputs)  # §2
        m, indices, _ = self.encoder(torch.cat([face, voice], -1), keys, real)  # §6
        shared = [indices[-1]] * len(indices)  # §12
        face, *_ = self.encoder_fv(face, keys, real, shared)  # §6
        voice, *_ = self.encoder_fv(voice, keys, real, shared)  # §6
        crossed = self.cross(face, voice, m)  # §8

        logits = self.fc(m.flatten(1))  # §13
        for branch in (crossed, face, voice):
            logits = logits + 0.1 * self.fc4(branch.flatten(1))  # §13
        return {"depression": logits}
