"""TFN: tensor fusion network (Zadeh et al., EMNLP 2017)."""

from __future__ import annotations

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Float

from jaxdep.models.baselines.head import Prediction, prediction
from jaxdep.models.baselines.streams import Modality, check_names, frames
from jaxdep.nn import masking
from jaxdep.nn.dropout import Dropout
from jaxdep.nn.linear import Linear
from jaxdep.settings.kinds import Classes, Rate, Width
from jaxdep.types import Array, Inputs, Vector, traceable


class TFN(nn.Module):
    """Classifies or scores recordings by the outer product of the modalities' embeddings.

    After Zadeh et al., EMNLP 2017, see README.md; equation numbers are those of README.md. The
    first layer after the product has `(hidden + 1) ** len(modalities)` inputs.

    Inputs: for each modality m, a sequence `m` [B, T_m, D_m] with an optional mask `m_mask`
    [B, T_m], or a vector [B, D_m].

    Attributes:
      modalities: names of the inputs.
      classes: number of classes; None: one score per recording.
      task: key of the output.
      hidden: width of the embeddings.
      post: width of the two layers after the product.
      dropout: rate after each hidden layer.
    """

    modalities: tuple[Modality, ...] = ("acoustic", "visual")
    classes: Classes | None = 2
    task: str = "depression"
    hidden: Width = 32
    post: Width = 128
    dropout: Rate = traceable(0.15)

    @nn.compact
    def __call__(self, inputs: Inputs, train: bool = False) -> dict[str, Prediction]:
        """Returns `{task: [B, classes]}` logits, or `{task: [B]}` scores."""
        check_names(self.modalities)
        embeddings = []
        for name in self.modalities:
            z = masking.masked_mean(*frames(inputs, name, self))  # T1
            for index in (0, 3, 6):
                z = self._hidden_layer(z, self.hidden, f"net.{name}", index, train)  # T2
            embeddings.append(jnp.pad(z, ((0, 0), (0, 1)), constant_values=1))  # T3
        s = _outer_product(embeddings)  # T4, T5
        for index in (0, 3):
            s = self._hidden_layer(s, self.post, "fc", index, train)  # T6
        y = Linear(self.classes or 1, name="fc.6")(s)  # T7
        return {self.task: prediction(y, self.classes)}

    def _hidden_layer(
        self, x: Vector, width: int, path: str, index: int, train: bool
    ) -> Float[Array, "batch hidden"]:
        """Linear, ReLU, dropout: entries `index` to `index + 2` of a sequence of layers."""
        y = nn.relu(Linear(width, name=f"{path}.{index}")(x))
        return Dropout(self.dropout, name=f"{path}.{index + 2}")(y, train)


def _outer_product(vectors: list[Vector]) -> Float[Array, "batch product"]:
    """Outer product of vectors, flattened; the index of the last vector runs fastest."""
    product = vectors[0]
    for vector in vectors[1:]:
        product = (product[:, :, None] * vector[:, None, :]).reshape(vector.shape[0], -1)
    return product
