"""PyTorch reference of DEP-Former with independent examples, deterministic in evaluation."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from jaxdep.models.depformer.reference.attention import CrossAttention, KeySamples, SharingAttention
from jaxdep.models.depformer.reference.encoder import Encoder, output_steps
from jaxdep.models.depformer.reference.words import first_words, real_examples, segments


class DEPFormer(nn.Module):
    """DEP-Former for faces and voices; examples are independent, and evaluation is deterministic.

    Inputs are `visual` [B, L, visual_width] and `acoustic` [B, L', acoustic_width], optionally
    `visual_mask`, `acoustic_mask` (boolean, true where a step is real) and `draws`, the integers
    [N, words, u(words)] from which the N attentions take their key samples in training.
    The output is `{task: logits [B, classes]}`, or `{task: values [B]}` without classes.

    After a forward pass, `attention` holds the attention to each word, `words/<branch>`
    [B, words], of the multimodal, the visual and the acoustic branch.

    Args:
        visual_width: width of a flattened face.
        acoustic_width: width of the acoustic features.
        modalities: "visual", "acoustic" or both.
        words: number of words.
        words_from: "first" for the first steps, "segments" for the means of equal parts.
        stacks: number of stacks of an encoder.
        layers: number of layers of the first stack; each further stack has one layer fewer.
        features: width of the features.
        heads: number of attention heads.
        width: width of a head.
        feed_forward: inner width of the feed-forward blocks.
        factor: sparsity factor c of the attention.
        shared_factor: sparsity factor of the index sharing.
        gate: gate of the index sharing, "soft" or "hard".
        share_encoder: whether faces and voices share one encoder.
        cross_query: modality that gives the queries of the cross-attention.
        hidden: hidden width of the adapter.
        adapted: output width of the adapter.
        probability: probability that a side branch enters the logits in training.
        expected: whether to use the probability instead of random draws in training, too.
        dropout: dropout probability.
        classes: number of classes, or None for a regression.
        task: name of the output.
    """

    def __init__(
        self,
        *,
        visual_width: int,
        acoustic_width: int,
        modalities: Sequence[str] = ("visual", "acoustic"),
        words: int = 24,
        words_from: str = "first",
        stacks: int = 3,
        layers: int = 3,
        features: int = 224,
        heads: int = 8,
        width: int = 64,
        feed_forward: int = 32,
        factor: float = 5,
        shared_factor: float = 2,
        gate: str = "soft",
        share_encoder: bool = True,
        cross_query: str = "visual",
        hidden: int = 1000,
        adapted: int = 128,
        probability: float = 0.1,
        expected: bool = False,
        dropout: float = 0.1,
        classes: int | None = 2,
        task: str = "depression",
    ) -> None:
        super().__init__()
        if words_from not in ("first", "segments"):
            raise ValueError(f"words_from must be 'first' or 'segments'; got {words_from!r}")
        if gate not in ("soft", "hard"):
            raise ValueError(f"gate must be 'soft' or 'hard'; got {gate!r}")
        if cross_query not in ("visual", "acoustic"):
            raise ValueError(f"cross_query must be 'visual' or 'acoustic'; got {cross_query!r}")
        if not modalities or not set(modalities) <= {"visual", "acoustic"}:
            raise ValueError(f"modalities must be 'visual', 'acoustic' or both; got {modalities!r}")
        self.modalities = tuple(m for m in ("visual", "acoustic") if m in modalities)
        self.words, self.words_from, self.cross_query = words, words_from, cross_query
        self.probability, self.expected = probability, expected
        self.classes, self.task = classes, task
        both = len(self.modalities) == 2
        steps = output_steps(words, stacks, layers)
        outputs = 1 if classes is None else classes
        attention = {"heads": heads, "width": width, "factor": factor}
        encoder = {
            "stacks": stacks,
            "layers": layers,
            "features": features,
            "feed_forward": feed_forward,
            "dropout": dropout,
            **attention,
        }

        def branch() -> Encoder:
            sharing = SharingAttention(
                steps=steps,
                shared_factor=shared_factor,
                gate=gate,
                features=features,
                dropout=dropout,
                **attention,
            )
            return Encoder(adapted, sharing, **encoder)

        if "visual" in self.modalities:
            self.fc1 = nn.Linear(visual_width, hidden)
        if "acoustic" in self.modalities:
            self.fc2 = nn.Linear(acoustic_width, hidden)
        self.LN = nn.LayerNorm(hidden)
        self.fc3 = nn.Linear(hidden, adapted)
        self.encoder = Encoder(adapted * len(self.modalities), None, **encoder)
        self.fc = nn.Linear(stacks * steps * features, outputs)  # §9
        if both:
            self.shared = share_encoder
            if share_encoder:
                self.encoder_fv = branch()
            else:
                self.encoder_f, self.encoder_v = branch(), branch()
            self.cross = CrossAttention(
                features=features, heads=heads, width=width, dropout=dropout
            )
            self.fc4 = nn.Linear(stacks * steps * features, outputs)  # §9
        self.attention: dict[str, Tensor] = {}

    def adapt(self, name: str, inputs: dict[str, Tensor]) -> Tensor:
        """Modality adapter, [B, words, adapted]."""
        first = self.fc1 if name == "visual" else self.fc2
        cut = first_words if self.words_from == "first" else segments
        x = cut(inputs[name].to(first.weight.dtype), inputs.get(f"{name}_mask"), self.words)
        return F.silu(self.fc3(self.LN(first(x))))  # §2

    def forward(self, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        real = real_examples([inputs.get(f"{name}_mask") for name in self.modalities])
        keys = KeySamples(inputs.get("draws"), exact=not self.training)  # §4

        adapted = [self.adapt(name, inputs) for name in self.modalities]  # §2
        m, shared, read = self.encoder(torch.cat(adapted, -1), keys, real)  # §6
        self.attention = {"words/multimodal": read}
        logits = self.fc(m.flatten(1))  # §9

        if len(adapted) == 2:
            encoder_f = self.encoder_fv if self.shared else self.encoder_f
            encoder_v = self.encoder_fv if self.shared else self.encoder_v
            face, _, read_f = encoder_f(adapted[0], keys, real, shared)  # §6, §7
            voice, _, read_v = encoder_v(adapted[1], keys, real, shared)  # §6, §7
            self.attention |= {"words/visual": read_f, "words/acoustic": read_v}
            query, key = (face, voice) if self.cross_query == "visual" else (voice, face)  # §8
            crossed = self.cross(query, key, m)  # §8
            for branch in (crossed, face, voice):
                logits = logits + self.branch_weight(logits) * self.fc4(branch.flatten(1))  # §9

        return {self.task: logits[:, 0] if self.classes is None else logits}

    def branch_weight(self, logits: Tensor) -> Tensor:
        """Weight [B, 1] of a side branch: drawn in training, its expectation in evaluation."""
        z = torch.full_like(logits[:, :1], self.probability)  # §9
        return torch.bernoulli(z) if self.training and not self.expected else z  # §9
