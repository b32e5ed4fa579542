"""The vocabulary of shapes: what every signature of the library is written in."""

from collections.abc import Mapping

from jaxtyping import Array, Bool, Float, Int, Key

Sequence = Float[Array, "batch time feature"]
"""Frames of one modality; `time` counts frames or tokens."""

Vector = Float[Array, "batch feature"]
"""One vector for each item."""

Mask = Bool[Array, "batch time"]
"""True where a frame is real, false where it is padding; real frames come first."""

Windows = Int[Array, "batch sentence 2"]
"""First frame of each sentence, and the frame after its last."""

Scores = Float[Array, "batch time"]
"""One number for each frame: attention before or after its softmax."""

PerExample = Float[Array, "batch"]
"""One number for each item: a loss, or a regression's score."""

Logits = Float[Array, "batch class"]

Labels = Int[Array, "batch"]

PRNGKey = Key[Array, ""]

Inputs = Mapping[str, Array]
"""What a model reads: `{"acoustic": Sequence, "acoustic_mask": Mask, "color": Vector, ...}`."""

Outputs = Mapping[str, Array]
"""What a model says: for each task `Logits`, or `PerExample` scores of a regression."""
