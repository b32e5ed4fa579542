"""What is measured: models at sizes, one entry a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from jaxdep.benchmarks.folded import FoldedJAMFN
from jaxdep.data import dialogue
from jaxdep.errors import UserError
from jaxdep.models import AMM, JAMFN, MDDR, SMFL, DEPFormer, SMFLReleased
from jaxdep.parity.cases import Case
from jaxdep.parity.reference import REFERENCES


@dataclass(frozen=True)
class Subject:
    """A model as it is measured.

    Attributes:
      experiment: whose corpus has a stand-in to read from disk; empty: none.
      sizes: by name; `paper` is the paper's.
      references: PyTorch modules that ours is timed against, by name; `stock` is always among them.
    """

    experiment: str
    sizes: Mapping[str, Case]
    references: Mapping[str, type[torch.nn.Module]] = field(default_factory=dict)


def _jamfn(batch: int = 32, length: int = 596, **fields: int) -> Case:
    return Case("jamfn", "", JAMFN(**fields), batch, length, masked=False)


def _mddr(batch: int, length: int, voice: int = 0, **fields: Any) -> Case:
    how: Any = {"masked": False, "widths": {"visual": 2048, "acoustic": 1024}}
    if voice:
        how["frames"] = {"acoustic": voice}
    return Case("mddr", "", MDDR(**fields), batch, length, **how)


class _Released(Case):
    """Windows as the published network cuts them: they grow from sentence to sentence."""

    def inputs(self, seed: int = 0, batch: int = 0) -> dict[str, np.ndarray]:
        """As `Case.inputs`; sentences of one to ten seconds."""
        made = super().inputs(seed, batch)
        table = made["sentences"]
        rng = np.random.default_rng(seed)
        rates = {name: most // 10 for name, most in (self.frames or {}).items()}
        for row in range(len(table)):
            stops = rng.integers(1, 11, table.shape[1]).cumsum()
            times = np.stack([np.concatenate([[0], stops[:-1]]), stops], 1)
            windows = dialogue.released_windows(times, rates)
            table[row, :, :4] = np.concatenate([windows["acoustic"], windows["visual"]], 1)
        return made


def _smfl(batch: int, length: int, frames: dict[str, int], **fields: Any) -> Case:
    widths = {"acoustic": 79, "visual": 242}
    return Case("smfl", "", SMFL(**fields), batch, length, frames=frames, widths=widths)


class _Bytes(Case):
    """Faces as bytes, as they are stored; keys are drawn by either side."""

    def inputs(self, seed: int = 0, batch: int = 0) -> dict[str, np.ndarray]:
        """As `Case.inputs`."""
        made = super().inputs(seed, batch)
        del made["draws"]
        pixels = np.random.default_rng(seed).integers(0, 256, made["visual"].shape, np.uint8)
        return made | {"visual": pixels, "acoustic": made["acoustic"][:, : self.length]}


def _depformer(batch: int, pixels: int, **fields: Any) -> Case:
    widths = {"visual": pixels, "acoustic": 1000}
    return _Bytes("depformer", "", DEPFormer(**fields), batch, 24, masked=False, widths=widths)


_AMM_WIDTHS = {"text": 768, "visual": 768, "gender": 768, "color": 64}

SUBJECTS: dict[str, Subject] = {
    "jamfn": Subject(
        "jamfn",
        {
            "paper": _jamfn(),
            "medium": _jamfn(length=150, layers=2),
            "small": _jamfn(length=150, layers=2, hidden=64),
            "tiny": _jamfn(batch=4, length=12, layers=1, hidden=8, channels=16),
        },
        {"stock": REFERENCES["jamfn"], "folded": FoldedJAMFN},
    ),
    "amm": Subject(
        "",
        {
            "paper": Case("amm", "", AMM(), 128, 40, widths=_AMM_WIDTHS),
            "tiny": Case("amm", "", AMM(text_hidden=8, visual_hidden=8, features=16), 4, 6),
        },
        {"stock": REFERENCES["amm"]},
    ),
    "mddr": Subject(
        "",
        {
            # AVEC2014: about two minutes, 1.2 frames a second.
            "paper": _mddr(16, 144),
            # AVEC2013: 25 minutes, one frame in 3.3 seconds, all of the voice.
            "avec2013": _mddr(4, 450, voice=75_000),
            "small": _mddr(8, 24, features=64, layers=2, heads=4, feed_forward=256),
            "tiny": _mddr(4, 3, features=16, filters=(4, 6), layers=1, heads=2, feed_forward=16),
        },
        {"stock": REFERENCES["mddr"]},
    ),
    "smfl": Subject(
        "",
        {
            # DAIC-WOZ: sentences of up to ten seconds.
            "paper": _smfl(8, 21, {"acoustic": 1000, "visual": 300}),
            "tiny": _smfl(3, 3, {"acoustic": 9, "visual": 3}, channels=4, layers=1),
        },
        {"stock": REFERENCES["smfl"]},
    ),
    "smfl_released": Subject(
        "",
        {
            # One patient after another in PyTorch, at the published frame rates.
            "paper": _Released(
                "smfl_released",
                "",
                SMFLReleased(),
                8,
                21,
                masked=False,
                frames={"acoustic": 1720, "visual": 300},
                widths={"acoustic": 513, "visual": 204},
            ),
            "tiny": _Released(
                "smfl_released",
                "",
                SMFLReleased(max_sentences=5),
                2,
                3,
                masked=False,
                frames={"acoustic": 30, "visual": 10},
            ),
        },
        {"stock": REFERENCES["smfl_released"]},
    ),
    "depformer": Subject(
        "depformer-ewre",
        {
            "paper": _depformer(32, 224 * 224),
            "small": _depformer(32, 28 * 28),
            "tiny": _depformer(2, 16, hidden=8, adapted=4, features=8, heads=2, width=4),
        },
        {"stock": REFERENCES["depformer"]},
    ),
}


def find(model: str, size: str) -> tuple[Subject, Case]:
    """A subject and one of its sizes.

    Raises:
      UserError: there is none of that name.
    """
    if model not in SUBJECTS:
        raise UserError(f"--model {model}: there are {', '.join(SUBJECTS)}")
    subject = SUBJECTS[model]
    if size not in subject.sizes:
        raise UserError(f"--size {size}: {model} has {', '.join(subject.sizes)}")
    return subject, subject.sizes[size]
