"""MDDR on AVEC2013 and AVEC2014 (MM 2024): all rows of Tables 3 and 4 and of Figure 4.

    jaxdep run mddr-avec2014 --seeds 4 --manual-dir /corpora/avec2014
    jaxdep run mddr-avec2013 --seeds 4 --manual-dir /corpora/avec2013 --stream
    jaxdep run mddr-demo --seeds 4

The paper pads the modalities to a common length and does not discuss temporal alignment: on
AVEC2013, the same row of face and voice would be far apart in time. Here the modalities are
resampled to the same time points; `mddr-avec2013-pad` and `mddr-avec2014-pad` follow the paper
literally. Table 2 compares pre-training data for the facial features: prepare a folder with each
and run `mddr-avec2014` on it. Results on the real corpora are not available here because they are
distributed under an agreement. `mddr-demo` is a narrow model on a synthetic stand-in whose best
attainable error is known, with variants for single modalities and for the Huber loss.
"""

from dataclasses import replace
from functools import partial

from jaxdep.experiment import Corpus, Experiment, Optimizer, PaperRow, Task, Training
from jaxdep.models import MDDR
from jaxdep.scales import bdi

_TASK = Task(loss="dr", options={"delta": 2.0, "weight": 0.1}, bounds=bdi.RANGE)

_row = partial(
    PaperRow,
    "MDDR",
    open=(
        "model.align",
        "model.faa_weights",
        "model.score_hidden",
        "tasks.depression.bounds",
        "training.epochs",
        "training.monitor",
    ),
)


def _paper(corpus: str, minutes: float) -> Experiment:
    return Experiment(
        name=f"mddr-{corpus}",
        title=f"MDDR on {corpus.upper()}: modalities resampled to the same moments",
        corpus=Corpus(
            name=corpus,
            synthetic={"items": 60, "seed": 0, "mean_seconds": 60 * minutes},
            train="training",
            validation="development",
            test=("testing",),
        ),
        model=MDDR(align="resample"),
        tasks={"depression": _TASK},
        optimizer=Optimizer(name="sgd", learning_rate=1e-3, weight_decay=5e-4, decay_every=50),
        training=Training(batch_size=16, epochs=150, monitor="depression.mae"),
        paper=_row("Table 3", "v+a+p"),
    )


def _variant(
    base: Experiment, suffix: str, title: str, source: str, row: str, **fields: object
) -> Experiment:
    return replace(
        base,
        name=f"{base.name}-{suffix}",
        title=f"{base.title.partition(':')[0]}: {title}",
        model=base.model.clone(**fields),
        paper=base.paper and _row(source, row),
    )


def _unimodal(base: Experiment) -> list[Experiment]:
    only = lambda modality: {"modalities": (modality,)}
    return [
        _variant(base, "visual", "face only", "Table 3", "v", **only("visual")),
        _variant(base, "acoustic", "voice only", "Table 3", "a", **only("acoustic")),
        _variant(base, "pose", "head only", "Table 3", "p", **only("pose")),
    ]


def _parts(base: Experiment) -> list[Experiment]:
    return [
        _variant(base, "fan", "attention between modalities only", "Table 4", "FAN", sea=False),
        _variant(base, "san", "attention over time only", "Table 4", "SAN", faa=False),
    ]


def _huber(base: Experiment, paper: PaperRow | None) -> Experiment:
    """The other loss of Figure 4, with the same seeds."""
    return replace(
        base,
        name=f"{base.name}-huber",
        title=f"{base.title}, Huber loss",
        tasks={"depression": replace(_TASK, loss="huber", options={"delta": 2.0})},
        paper=paper,
    )


def _padded(base: Experiment) -> Experiment:
    title = "modalities padded, not resampled"
    return _variant(base, "pad", title, "Table 3", "v+a+p", align="pad")


AVEC2013, AVEC2014 = _paper("avec2013", 25.0), _paper("avec2014", 2.0)
DEMO = replace(
    AVEC2014,
    name="mddr-demo",
    title="MDDR on AVEC2014, demo: a narrow model",
    corpus=replace(AVEC2014.corpus, synthetic={"items": 1200, "seed": 0, "mean_seconds": 12.0}),
    model=MDDR(
        align="resample",
        features=64,
        filters=(32, 64),
        layers=1,
        heads=4,
        feed_forward=128,
        dropout=0.0,
    ),
    optimizer=Optimizer(name="adam", learning_rate=1e-3, weight_decay=5e-3, decay_every=20),
    training=Training(batch_size=16, epochs=28, monitor="depression.mae"),
    paper=None,
)

EXPERIMENTS = [
    *(AVEC2013, *_unimodal(AVEC2013), *_parts(AVEC2013), _padded(AVEC2013)),
    *(AVEC2014, *_unimodal(AVEC2014), *_parts(AVEC2014), _padded(AVEC2014)),
    *(DEMO, *_unimodal(DEMO), _huber(DEMO, None)),
    _huber(AVEC2014, _row("Figure 4", "Huber loss")),
]
