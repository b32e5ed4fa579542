"""DEP-Former: Informers over the words of a reading, with interpretability (TCSVT 2025)."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from functools import partial
from typing import Any, Literal

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array

from jaxdep.models.inputs import require
from jaxdep.nn import alignment
from jaxdep.nn.fusion import BernoulliFusion, MultimodalAttention
from jaxdep.nn.informer import Encoded, Encoder, Layer, Samples, steps_of
from jaxdep.nn.linear import Linear
from jaxdep.nn.normalization import LayerNorm
from jaxdep.nn.sparse_attention import KeySample, kept_queries
from jaxdep.types import Inputs, Outputs, Sequence

BRANCHES = ("multimodal", "visual", "acoustic")
"""Names of the three encoders' attention over the words."""


class DEPFormer(nn.Module):
    """Depression from the face and the voice at each word of a reading.

    Reads `visual` and `acoustic` [B, L, *], of any number format; where L is not `words`, the real
    frames of each recording are cut into so many parts, and each part's mean is a word (A14). Masks
    count there, and an example without any real frame moves no batch statistics.

    `variant="paper"` is repaired: every patient is judged alone, and evaluation draws nothing.
    `variant="released"` is the network that the authors published, see A7: its attention ranks by
    random keys in evaluation too, mixes the patients of a batch, and needs an even number of them.
    What fills a batch takes part in that. Its `gate`, `shared_factor` and `expected` are set.

    With `draws` [24, words, `kept_queries(factor, words)`] among the inputs, whole numbers from 0,
    the keys are not drawn: attention n over L steps takes `draws[n, :L, :kept] % L`, in the order
    of A10. Else they come from the random stream `sample`, and where there is none, as in the
    released variant's evaluation, from key 0.
    """

    variant: Literal["paper", "released"] = "paper"
    words: int = 24
    stacks: int = 3
    layers: int = 3  # of the first stack
    features: int = 224
    heads: int = 8
    width: int = 64  # of a head
    feed_forward: int = 32
    factor: int = 5  # c of the sparse attention
    shared_factor: int = 0  # c of the shared queries; 0: as factor, by which 6 of 6 are kept
    gate: Literal["soft", "hard"] = "soft"  # of the shared attention
    share_encoder: bool = True  # of face and voice; False: one for each, as in the figure
    cross_query: Literal["visual", "acoustic"] = "visual"  # the other one is the key
    hidden: int = 1000  # of the adapter
    adapted: int = 128
    probability: float = 0.1  # that a further branch counts
    expected: bool = False  # in training too, by its expectation
    dropout: float = 0.1
    classes: int = 2  # 0: a regression
    task: str = "depression"

    @nn.compact
    def __call__(self, inputs: Inputs, train: bool = False) -> Outputs:
        """Returns `{task: [B, classes]}`, logits, or `{task: [B]}`, a raw score.

        Sown, [B, words]: what the first layer reads of each word, `words/<branch>`; and what it
        would read of it if every other word were empty, `alone/<branch>`.
        """
        face, voice = self._adapt(inputs)
        both = jnp.concatenate([face, voice], -1)
        masks = [x.any(1) for name, x in inputs.items() if name.endswith("_mask")]
        real = jnp.stack(masks).all(0) if masks else None
        samples = self._samples(inputs, train)
        encoders = self._encoders()
        whole = encoders[0](both, next(samples), (), real, train)
        kept = whole.kept
        if self.variant == "released":
            kept = kept[-1:] * self.stacks
        own = self._own(encoders[1:], (face, voice), samples, kept, real, train)
        self._sow(encoders, (both, face, voice), (whole, *own))

        m, f, v = whole.x, own[0].x, own[1].x
        query, key = (f, v) if self.cross_query == "visual" else (v, f)
        cross = MultimodalAttention(self.heads, self.width, self.dropout, name="cross")
        further = (cross(query, key, m, train), f, v)
        return {self.task: self._fuse(m, further, train)}

    def _adapt(self, inputs: Inputs) -> tuple[Sequence, Sequence]:
        """The modality adapter (A2): [B, words, adapted] of the face and of the voice."""
        norm, last = LayerNorm(name="LN"), Linear(self.adapted, name="fc3")
        made = []
        for modality, name in (("visual", "fc1"), ("acoustic", "fc2")):
            x = require(inputs, modality, "DEPFormer")
            first = Linear(self.hidden, name=name)
            kernel, _ = first.weights(x.shape[-1])
            x = x.astype(kernel.dtype)  # faces are bytes, and become numbers only here
            if x.shape[1] != self.words:
                x = alignment.segments(x, inputs.get(f"{modality}_mask"), self.words)
            made.append(nn.silu(last(norm(first(x)))))
        return made[0], made[1]

    def _encoders(self) -> list[Encoder]:
        """Of all words together, then of face and voice: one for both, or one for each."""
        gate = "mixing" if self.variant == "released" else self.gate
        own = ("encoder_fv",) if self.share_encoder else ("encoder_f", "encoder_v")
        layer = partial(
            Layer,
            self.feed_forward,
            self.factor,
            self.dropout,
            self.heads,
            self.width,
            shared_factor=self.shared_factor,
        )
        shape = (self.features, layer, self.layers, self.stacks, self.dropout)
        return [
            Encoder(*shape, gate="" if name == "encoder" else gate, name=name)
            for name in ("encoder", *own)
        ]

    def _own(
        self,
        encoders: list[Encoder],
        streams: tuple[Sequence, Sequence],
        samples: Iterator[Samples],
        *rest: Any,
    ) -> list[Encoded]:
        """Face and voice encoded, one after the other."""
        if len(encoders) == 2:
            return [
                each(x, next(samples), *rest) for each, x in zip(encoders, streams, strict=True)
            ]
        if self.is_initializing():
            return [encoders[0](x, next(samples), *rest) for x in streams]
        # One program for both: it is most of what there is to compile.
        both = [(x, next(samples)) for x in streams]
        moves = self.is_mutable_collection("batch_stats")
        scan = nn.scan(
            lambda encoder, carry, one: (carry, encoder(*one, *rest)),
            variable_broadcast=["params", "untrained", *(() if moves else ("batch_stats",))],
            variable_carry="batch_stats" if moves else (),
            split_rngs={"params": False, "dropout": True},
        )
        _, made = scan(encoders[0], None, jax.tree.map(lambda *each: jnp.stack(each), *both))
        return [jax.tree.map(lambda leaf, n=n: leaf[n], made) for n in range(len(streams))]

    def _samples(self, inputs: Inputs, train: bool) -> Iterator[Samples]:
        """Of each branch the keys that its attentions rank by, in the order of A10."""
        number = itertools.count()
        for shared in (False, True, True):
            steps = steps_of(self.words, self.layers, self.stacks, shared)
            if self.variant == "paper" and not train:
                yield (None,) * len(steps)
            else:
                yield tuple(self._sample(inputs, next(number), length) for length in steps)

    def _sample(self, inputs: Inputs, number: int, length: int) -> KeySample:
        count = kept_queries(self.factor, length)
        if "draws" in inputs:
            return inputs["draws"][number, :length, :count] % length
        if self.has_rng("sample"):
            key = self.make_rng("sample")
        else:
            key = jax.random.fold_in(jax.random.key(0), number)
        return jax.random.randint(key, (length, count), 0, length)

    def _sow(
        self, encoders: list[Encoder], streams: tuple[Sequence, ...], encoded: tuple[Encoded, ...]
    ) -> None:
        """What is read of each word, as it was said and with no other word beside it."""
        if self.is_initializing() or not self.is_mutable_collection("intermediates"):
            return
        every = [encoders[0], encoders[1], encoders[-1]]
        for branch, encoder, x, made in zip(BRANCHES, every, streams, encoded, strict=True):
            self.sow("intermediates", f"words/{branch}", made.steps)
            # One copy of the patient for each word, which has that word alone.
            alone = jnp.eye(self.words, dtype=x.dtype)[None, ..., None] * x[:, None]
            alone = alone.reshape(-1, *x.shape[1:])
            shared = tuple(jnp.repeat(kept, self.words, 0) for kept in encoded[0].kept)
            samples = (None,) * len(steps_of(self.words, self.layers, self.stacks, True))
            steps = encoder(alone, samples, shared).steps
            own = jnp.diagonal(steps.reshape(len(x), self.words, self.words), axis1=1, axis2=2)
            self.sow("intermediates", f"alone/{branch}", own)

    def _fuse(
        self, main: Sequence, further: tuple[Sequence, Sequence, Sequence], train: bool
    ) -> Array:
        """The heads (A9), and how they are added (A15)."""
        head = Linear(max(self.classes, 1), name="fc")
        auxiliary = Linear(max(self.classes, 1), name="fc4")
        flat = lambda x: x.reshape(len(x), -1)
        expected = self.expected or self.variant == "released"
        fusion = BernoulliFusion(self.probability, expected, name="fusion")
        logits = fusion(head(flat(main)), tuple(auxiliary(flat(x)) for x in further), train)
        return logits if self.classes else logits[:, 0]
