"""PyTorch reference of the network released by SMFL's authors."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from jaxdep.models.smfl.reference.layers import attend
from jaxdep.models.smfl.reference.windows import COLUMNS, lengths, windows


class JointAttention(nn.Module):
    """Joint attention of the released network.

    The strong and the weak feature are sequences of length one that attend to themselves, so every
    softmax is one and the queries and keys have no effect.
    """

    def __init__(self, width: int, heads: int, dropout: float):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)
        self.dropout = nn.Dropout(dropout)

    def itself(self, x: Tensor) -> Tensor:
        """Self-attention of a sequence of length one, [D] -> [D]."""
        q, k, v = self.qkv(x).view(3, self.heads, 1, -1)  # (3) (4) (5)
        return attend(q, k, v, None)[0].flatten()

    def forward(self, strong: Tensor, weak: Tensor) -> Tensor:
        """Returns the enhanced weak feature [D]."""
        mixed = 0.75 * self.itself(strong) + 0.25 * self.itself(weak)
        return self.dropout(self.proj(mixed))


class FusionModule(nn.Module):
    """Additive attention over a sequence of length one, which is the identity."""

    def __init__(self, width: int):
        super().__init__()
        self.attention_weights = nn.Linear(width, width)
        self.context_vector = nn.Linear(width, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Weights the features [1, D] over their length of one."""
        return self.context_vector(self.attention_weights(x).tanh()).softmax(0) * x


class SMFLReleased(nn.Module):
    """The network that the authors released.

    Examples are processed one by one. In training, batch normalisation uses the statistics of one
    sentence, and its running statistics are updated once per real sentence, in order.

    Attributes:
      attention: Always empty.
    """

    def __init__(
        self,
        *,
        acoustic_width: int = 513,
        visual_width: int = 204,
        text_width: int = 768,
        max_sentences: int = 21,
        fix_history: bool = False,
        cmjat_target: str = "acoustic",
        fusion_dropout: float = 0.2,
        classes: int = 2,
    ):
        super().__init__()
        if cmjat_target not in ("acoustic", "visual"):
            raise ValueError(f"cmjat_target must be 'acoustic' or 'visual', not {cmjat_target!r}")
        steps = [(7, 5), (5, 3), (5, 3)]
        length = text_width
        for kernel, stride in steps:
            length = (length - kernel) // stride + 1
        if length != 16:
            raise ValueError("text_width must be from 762 to 806, to give 16 features")
        self.max_sentences = max_sentences
        self.fix_history = fix_history
        self.cmjat_target = cmjat_target
        self.attention: dict[str, Tensor] = {}

        self.conv_audio = nn.Sequential(nn.LSTM(acoustic_width, 16, batch_first=True))
        self.conv_face = nn.Sequential(nn.LSTM(visual_width, 16, batch_first=True))
        text: list[nn.Module] = []
        for kernel, stride in steps:
            text += [nn.Conv1d(1, 1, kernel, stride), nn.ReLU(), nn.BatchNorm1d(1)]
        self.conv_text = nn.Sequential(*text)
        self.fusion_layer = nn.Sequential(
            nn.Conv1d(3, 3, 3),
            nn.ReLU(),
            nn.BatchNorm1d(3),
            nn.Conv1d(3, 1, 1),
            nn.ReLU(),
            nn.BatchNorm1d(1),
        )
        self.conv_audio_all = nn.LSTM(16, 8, batch_first=True)
        self.conv_face_all = nn.LSTM(16, 8, batch_first=True)
        self.conv_text_all = nn.LSTM(16, 8, batch_first=True)
        self.conv_fusion_all = nn.LSTM(14, 14, batch_first=True)
        self.jointAtt = JointAttention(8, 8, fusion_dropout)
        self.Fusion = FusionModule(14)
        self.linear = nn.Linear(38, classes)
        self.linear_face = nn.Linear(16, classes)

    @staticmethod
    def state(layer: nn.Module, frames: Tensor) -> Tensor:
        """Last hidden state of an LSTM over frames [T, *]; zeros without frames."""
        assert isinstance(layer, nn.LSTM)
        if not len(frames):
            return frames.new_zeros(layer.hidden_size)
        return layer(frames[None])[0][0, -1]

    def history(self, vectors: list[Tensor]) -> Tensor:
        """Sequence over face or text sentences [N, 16]; as released, the last one twice."""
        if not self.fix_history and len(vectors) > 1:
            vectors = [vectors[-1]] * 2
        return torch.stack(vectors)

    def recording(self, sentences: list[dict[str, Tensor]]) -> Tensor:
        """Logits [classes] of one recording with at least one sentence."""
        audio, face, text, fused = [], [], [], []
        for sentence in sentences:
            a = self.state(self.conv_audio[0], sentence["acoustic"])
            f = self.state(self.conv_face[0], sentence["visual"])
            t = self.conv_text(sentence["text"][None, None])[0, 0]
            c = self.fusion_layer(torch.stack([a, f, t])[None])[0, 0]
            audio.append(a)
            face.append(f)
            text.append(t)
            fused.append(c)
        feature = {
            "acoustic": self.state(self.conv_audio_all, torch.stack(audio)),
            "visual": self.state(self.conv_face_all, self.history(face)),
            "text": self.state(self.conv_text_all, self.history(text)),
        }
        u = self.Fusion(self.state(self.conv_fusion_all, torch.stack(fused))[None])[0]
        target = self.cmjat_target
        feature[target] = self.jointAtt(feature["text"], feature[target])
        return self.linear(torch.cat([feature["acoustic"], feature["visual"], feature["text"], u]))

    def forward(self, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        """Computes the logits.

        Args:
          inputs: `acoustic`, `visual` and `text` [B, L, *] with optional `<modality>_mask`
            [B, L]; `sentences` [B, S, 6], first frame and frame after the last in acoustic,
            visual and text, with optional `sentences_mask` [B, S]. The last frame of a text
            window is the embedding of its sentence, zeros if the window is empty.

        Returns:
          `depression` [B, classes].
        """
        self.attention = {}
        table = inputs["sentences"][:, : self.max_sentences]
        real = inputs.get("sentences_mask")
        if real is None:
            real = torch.ones(inputs["sentences"].shape[:2], dtype=torch.bool)
        counts = real[:, : self.max_sentences].sum(1).tolist()
        cuts = {m: windows(inputs, m, self.max_sentences) for m in COLUMNS}
        faces = lengths(inputs, "visual").clamp(max=1000)
        logits = []
        for b in range(len(table)):
            sentences = []
            for s in range(counts[b]):
                sentence = {m: inputs[m][b, i[b, s] : j[b, s]] for m, (i, j) in cuts.items()}
                tokens = F.pad(sentence["text"], (0, 0, 1, 0))  # zeros if the window is empty
                sentence["text"] = tokens[-1]
                sentences.append(sentence)
            if sentences:
                logits.append(self.recording(sentences))
            else:
                face = inputs["visual"][b, : faces[b]]
                logits.append(self.linear_face(self.state(self.conv_face[0], face)))
        return {"depression": torch.stack(logits)}
