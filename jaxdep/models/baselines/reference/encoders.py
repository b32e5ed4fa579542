"""Transformer encoders of each modality, with which several PyTorch references begin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from jaxdep.models.baselines.reference.blocks import encode, encoder, positions
from jaxdep.models.baselines.reference.streams import Baseline, Stream


class EncodedBaseline(Baseline):
    """A network that begins with a Transformer encoder per modality.

    Args:
      modalities: Inputs to read.
      classes: Number of classes; None: a score.
      task: Key of the output.
      hidden: Width d of the encoders and of the head.
      layers: Number of layers of each encoder.
      heads: Number of attention heads.
      feed_forward: Width of the feed-forward blocks.
      dropout: Dropout rate.
      widths: Input widths, `<name>_width`.
    """

    def __init__(
        self,
        *,
        modalities: Sequence[str] = ("acoustic", "visual"),
        classes: int | None = 2,
        task: str = "depression",
        hidden: int = 128,
        layers: int = 2,
        heads: int = 4,
        feed_forward: int = 256,
        dropout: float = 0.1,
        **widths: int,
    ) -> None:
        super().__init__(modalities, classes, task, widths)
        if hidden % heads:
            raise ValueError(f"hidden, {hidden}, must be a multiple of heads, {heads}")
        self.hidden = hidden
        self.heads = heads
        self.feed_forward = feed_forward
        self.proj = nn.ModuleDict(
            {name: nn.Linear(width, hidden) for name, width in self.widths.items()}
        )
        self.dropout = nn.Dropout(dropout)
        self.encoder = nn.ModuleDict(
            {
                name: encoder(hidden, layers, heads, feed_forward, dropout)
                for name in self.modalities
            }
        )

    def encoded(self, inputs: Mapping[str, Tensor]) -> dict[str, Stream]:
        """Encoded frames u [B, T, d] of each modality and their mask."""
        streams = {}
        for name, (x, mask) in self.read(inputs).items():  # (F1)
            projected = self.proj[name](x)
            p = self.dropout(projected + positions(projected))  # (F2)
            stack = self.encoder[name]
            assert isinstance(stack, nn.TransformerEncoder)
            streams[name] = encode(stack, p, mask), mask  # (F3)
        return streams
