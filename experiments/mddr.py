"""MDDR on AVEC2013 and AVEC2014 (MM 2024): every row of its Tables 3 and 4 and of Figure 4.

    jaxdep run mddr-avec2014 --seeds 4 --manual-dir /corpora/avec2014
    jaxdep run mddr-avec2013 --seeds 4 --manual-dir /corpora/avec2013 --stream

Table 2 compares pre-trainings of the face's features: prepare a folder with each, and run
`mddr-avec2014` on it. Ours on the real corpora: not measured here, they are under agreement.
"""

from dataclasses import replace

from jaxdep import severity
from jaxdep.experiment import Corpus, Experiment, Optimizer, PaperRow, Task, Training
from jaxdep.models import MDDR

_TASK = Task(loss="dr", options={"delta": 2.0, "weight": 0.1}, bounds=severity.RANGE)


def _paper(corpus: str, minutes: float) -> Experiment:
    return Experiment(
        name=f"mddr-{corpus}",
        title=f"MDDR on {corpus.upper()}: the paper's configuration",
        corpus=Corpus(
            name=corpus,
            synthetic={"items": 60, "seed": 0, "mean_seconds": 60 * minutes},
            train="training",
            validation="development",
            test=("testing",),
        ),
        model=MDDR(),
        tasks={"depression": _TASK},
        optimizer=Optimizer(name="sgd", learning_rate=1e-3, weight_decay=5e-4, decay_every=50),
        training=Training(batch_size=16, epochs=150, monitor="depression.mae"),
        paper=PaperRow("MDDR", "Table 3", "v+a+p"),
    )


def _variant(
    base: Experiment, suffix: str, title: str, source: str, row: str, **fields: object
) -> Experiment:
    return replace(
        base,
        name=f"{base.name}-{suffix}",
        title=f"MDDR on {base.corpus.name.upper()}: {title}",
        model=base.model.clone(**fields),
        paper=PaperRow("MDDR", source, row),
    )


def _variants(base: Experiment) -> list[Experiment]:
    only = lambda modality: {"modalities": (modality,)}
    return [
        base,
        _variant(base, "visual", "face alone", "Table 3", "v", **only("visual")),
        _variant(base, "acoustic", "voice alone", "Table 3", "a", **only("acoustic")),
        _variant(base, "pose", "head alone", "Table 3", "p", **only("pose")),
        _variant(base, "fan", "attention between modalities alone", "Table 4", "FAN", sea=False),
        _variant(base, "san", "attention over time alone", "Table 4", "SAN", faa=False),
    ]


def _huber(base: Experiment, paper: PaperRow) -> Experiment:
    """Figure 4's other loss, on the same seeds."""
    return replace(
        base,
        name=f"{base.name}-huber",
        title=f"{base.title}, Huber loss",
        tasks={"depression": replace(_TASK, loss="huber", options={"delta": 2.0})},
        paper=paper,
    )


AVEC2013, AVEC2014 = _paper("avec2013", 25.0), _paper("avec2014", 2.0)

EXPERIMENTS = [
    *_variants(AVEC2013),
    *_variants(AVEC2014),
    _huber(AVEC2014, PaperRow("MDDR", "Figure 4", "Huber loss")),
    replace(
        AVEC2014,
        name="mddr-avec2014-dr",
        title="MDDR on AVEC2014: DR loss, as in Figure 4",
        paper=PaperRow("MDDR", "Figure 4", "DR loss"),
    ),
]
