"""PyTorch reference of SMFL as the paper describes it (Zhang et al., 2025)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from jaxdep.models.smfl.reference.layers import (
    CrossAttention,
    CrossModalJointAttention,
    TemporalConvNet,
)
from jaxdep.models.smfl.reference.windows import cut, joined, last, windows
from jaxdep.models.torch_sequences import mean, run, zero

HEAD_ORDER = ("text", "acoustic", "visual")


class SMFL(nn.Module):
    """Sentence-level multi-modal feature learning, as the paper describes it.

    Each sentence of each modality is encoded separately. The sequences over sentences pass through
    self-attention, the joint attention that enhances the weak modalities, and an LSTM; the fused
    stream has a separate LSTM. Cross-attention weights the fused features by each modality.

    A sentence is present in a modality if its window, clipped to the real frames, is not empty.

    Attributes:
      attention: Maps of the last forward pass: `attention_<m>/attention` [B, H, S, S],
        `cmjat_<target>/attention` [B, H, 2S, 2S] and `cross_<m>/weights` [B, d].
    """

    def __init__(
        self,
        *,
        acoustic_width: int = 0,
        visual_width: int = 0,
        text_width: int = 0,
        modalities: tuple[str, ...] = ("acoustic", "visual", "text"),
        max_sentences: int = 21,
        encoder: str = "tcn",
        split: bool = True,
        pooling: str = "last",
        self_attention: bool = True,
        lstm: bool = True,
        cmjat_targets: tuple[str, ...] = ("visual",),
        cmjat_head: bool = False,
        cross_attention: bool = True,
        channels: int = 12,
        layers: int = 5,
        kernel: int = 5,
        heads: int = 4,
        hidden: int = 8,
        scale: bool = False,
        permute: bool = False,
        dropout: float = 0.5,
        fusion_dropout: float = 0.2,
        classes: int = 2,
        task: str = "depression",
    ):
        super().__init__()
        self.task = task
        widths = {"acoustic": acoustic_width, "visual": visual_width, "text": text_width}
        if encoder not in ("tcn", "lstm"):
            raise ValueError(f"encoder must be 'tcn' or 'lstm', not {encoder!r}")
        if pooling not in ("last", "mean"):
            raise ValueError(f"pooling must be 'last' or 'mean', not {pooling!r}")
        for m in modalities:
            if widths[m] < 1:
                raise ValueError(f"modality {m!r} requires {m}_width >= 1; got {widths[m]}")
        for m in cmjat_targets:
            if m not in ("visual", "acoustic") or not {m, "text"} <= set(modalities):
                raise ValueError(
                    f"cmjat_targets requires {m!r} and 'text' in modalities, and only 'visual' or"
                    f" 'acoustic' as targets; got target {m!r}"
                )
        self.modalities = tuple(modalities)
        self.max_sentences = max_sentences
        self.encoder, self.whole, self.pooling = encoder, not split, pooling
        self.self_attention, self.lstm = self_attention, lstm
        self.cmjat_targets, self.cmjat_head = tuple(cmjat_targets), cmjat_head
        self.cross_attention = cross_attention
        self.attention: dict[str, Tensor] = {}

        width = hidden if lstm else channels
        for m in self.modalities:
            if encoder == "tcn":
                net = TemporalConvNet(widths[m], channels, layers, kernel, dropout)
                self.add_module(f"tcn_{m}", net)
            else:
                net = nn.LSTM(widths[m], channels, batch_first=True)
                self.add_module(f"encoder_{m}", net)
            if self_attention:
                layer = nn.MultiheadAttention(channels, heads, batch_first=True)
                self.add_module(f"attention_{m}", layer)
                self.add_module(f"norm_{m}", nn.LayerNorm(channels))
            if lstm:
                self.add_module(f"lstm_{m}", nn.LSTM(channels, hidden, batch_first=True))
            if cross_attention:
                self.add_module(f"cross_{m}", CrossAttention(width))
        for m in self.cmjat_targets:
            joint = CrossModalJointAttention(
                channels, heads, scale, permute, fusion_dropout, classes if cmjat_head else None
            )
            self.add_module(f"cmjat_{m}", joint)
        self.fusion = nn.Linear(len(self.modalities) * channels, channels)
        if lstm:
            self.lstm_fusion = nn.LSTM(channels, hidden, batch_first=True)
        self.head = nn.Linear(width * (1 + len(self.modalities)), classes)

    def encode(self, inputs: dict[str, Tensor], modality: str) -> tuple[Tensor, Tensor]:
        """Sentence vectors [B, S, C], zero where absent, and the mask of those present [B, S]."""
        first, end = windows(inputs, modality, self.max_sentences)
        if self.whole:
            first, end = joined(first, end)
        frames, mask = cut(inputs[modality], first, end)
        if self.encoder == "tcn":
            states = self.get_submodule(f"tcn_{modality}")(frames)
        else:
            encoder = self.get_submodule(f"encoder_{modality}")
            assert isinstance(encoder, nn.LSTM)
            states = run(encoder, frames, mask)
        vectors = last(states, mask) if self.pooling == "last" else mean(states, mask)
        return vectors.unflatten(0, first.shape), end > first

    def across(self, x: Tensor, there: Tensor, modality: str) -> Tensor:
        """Self-attention between the sentences of a modality, with residual and LayerNorm."""
        ignored = ~there & there.any(1, keepdim=True)
        out, weights = self.get_submodule(f"attention_{modality}")(
            x, x, x, key_padding_mask=ignored, average_attn_weights=False
        )
        weights = weights * there[:, None, None]
        self.attention[f"attention_{modality}/attention"] = weights.detach()
        return zero(self.get_submodule(f"norm_{modality}")(x + out), there)

    def pool(self, x: Tensor, there: Tensor, name: str) -> Tensor:
        """Global feature of a sequence over sentences, [B, S, C] -> [B, d]."""
        if not self.lstm:
            return mean(x, there)
        lstm = self.get_submodule(f"lstm_{name}")
        assert isinstance(lstm, nn.LSTM)
        return last(run(lstm, x, there), there)

    def forward(self, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        """Computes the logits.

        Args:
          inputs: `acoustic`, `visual` and `text` [B, L, *] for the modalities in use, with optional
            `<modality>_mask` [B, L]; `sentences` [B, S, 6], first frame and frame after the last in
            acoustic, visual and text, with optional `sentences_mask` [B, S].

        Returns:
          `task` [B, classes] and, with `cmjat_head`, `cmjat_<target>` of the same shape.
        """
        self.attention = {}
        outputs: dict[str, Tensor] = {}

        # Sentence-level features of each modality, and their fusion (2.4).
        x: dict[str, Tensor] = {}
        present: dict[str, Tensor] = {}
        for m in self.modalities:
            x[m], present[m] = self.encode(inputs, m)
        fused = self.fusion(torch.cat([x[m] for m in self.modalities], -1)).relu()
        any_present = torch.stack([present[m] for m in self.modalities]).any(0)

        # Self-attention between sentences (2.5).
        if self.self_attention:
            for m in self.modalities:
                x[m] = self.across(x[m], present[m], m)

        # Cross-modal joint attention: text enhances the weak modalities (2.6).
        for m in self.cmjat_targets:
            joint = self.get_submodule(f"cmjat_{m}")
            assert isinstance(joint, CrossModalJointAttention)
            x[m], weights = joint(x["text"], x[m], present["text"], present[m])
            self.attention[f"cmjat_{m}/attention"] = weights.detach()
            if self.cmjat_head:
                outputs[f"cmjat_{m}"] = joint.head(mean(x[m], present[m]))

        # Global features (2.5).
        f_fuse = self.pool(fused, any_present, "fusion")
        features = {m: self.pool(x[m], present[m], m) for m in self.modalities}

        # Feature fusion (2.7).
        if self.cross_attention:
            for m in self.modalities:
                features[m], weights = self.get_submodule(f"cross_{m}")(f_fuse, features[m])
                self.attention[f"cross_{m}/weights"] = weights.detach()
        parts = [f_fuse] + [features[m] for m in HEAD_ORDER if m in self.modalities]
        outputs[self.task] = self.head(torch.cat(parts, -1))
        return outputs
