"""The network released by DEP-Former's authors, in which the examples of a batch interact."""

from __future__ import annotations

from jaxdep.models.depformer.informers import MODALITIES, Informers, first, flat, joined, real_of
from jaxdep.models.inputs import require
from jaxdep.nn.linear import Linear
from jaxdep.settings.kinds import Classes
from jaxdep.types import Inputs, Outputs


class DEPFormerReleased(Informers):
    """Predicts depression from words read aloud with the network that the authors released.

    Inputs: `visual` and `acoustic` [B, L, *], of which the first `words` frames are used. The
    attention ranks queries by random keys in evaluation, too. The sharing unit exchanges queries
    between the examples of a batch, so the logits of an example depend on the rest of the batch:
    the batch size must be even, padding examples take part, and the gate that orders the exchange
    is never trained.
    """

    classes: Classes = 2

    def setup(self) -> None:
        """Defines the unimodal encoder and the heads."""
        super().setup()
        self.encoder_fv = self.new_encoder("mixing")
        self.fc, self.fc4 = Linear(self.classes), Linear(self.classes)

    def __call__(self, inputs: Inputs, train: bool = False) -> Outputs:
        """Returns `{"depression": [B, classes]}`, logits; sows as `DEPFormer` does."""
        masks = {name: inputs.get(f"{name}_mask") for name in MODALITIES}
        words = {m: first(require(inputs, m, self), masks[m], self.words) for m in MODALITIES}
        streams, real, samples = self.adapt(words), real_of(masks), self.key_samples(inputs)
        multimodal = self.encoder(joined(streams), samples["multimodal"], (), real, train)
        # All stacks share the queries kept by the last stack.
        kept = multimodal.kept[-1:] * self.stacks
        unimodal = self.encode_each(self.encoder_fv, streams, samples, kept, real, train)
        self.sow_words({"multimodal": multimodal, **unimodal})
        face, voice = (unimodal[name].x for name in MODALITIES)
        cross = self.cross(face, voice, multimodal.x, train)
        side_branches = [self.fc4(flat(x)) for x in (cross, face, voice)]
        return {
            "depression": self.fc(flat(multimodal.x))
            + 0.1 * sum(side_branches[1:], side_branches[0])
        }
