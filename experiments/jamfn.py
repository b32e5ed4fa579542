"""JAMFN on D-Vlog (Zhou et al., Interspeech 2023).

    jaxdep run jamfn --seeds 8 --manual-dir /corpora/dvlog
    jaxdep run jamfn-demo --seeds 4

The paper reports a weighted F1 of 68.25 (Table 1) and does not state the number of seeds. Results
on the real corpus are not available here because it is distributed under a license.
"""

from dataclasses import replace
from functools import partial

from jaxdep.experiment import Corpus, Experiment, Optimizer, PaperRow, Training
from jaxdep.models import JAMFN

_SECONDS = 596  # mean length of the corpus, at one frame per second

_row = partial(
    PaperRow,
    "JAMFN",
    open=(
        "model.readout",
        "model.share_jaf",
        "model.masked",
        "model.dropout",
        "model.hidden=100",  # 200 for both directions together
        "model.folded",  # equal up to rounding
        "corpus.lengths.*",
        "training.monitor",
    ),
)

PAPER = Experiment(
    name="jamfn",
    title="JAMFN on D-Vlog",
    corpus=Corpus(
        name="dvlog",
        lengths={"acoustic": _SECONDS, "visual": _SECONDS},
        synthetic={"items": 961, "seed": 0},
        validation="valid",
    ),
    model=JAMFN(),
    optimizer=Optimizer(name="adam", learning_rate=1e-4, weight_decay=5e-4),
    training=Training(batch_size=32, epochs=30, patience=4),
    paper=_row("Table 1", "JAMFN"),
)


def _variant(suffix: str, title: str, source: str, row: str, **fields: object) -> Experiment:
    return replace(
        PAPER,
        name=f"jamfn-{suffix}",
        title=f"JAMFN on D-Vlog: {title}",
        model=JAMFN(**fields),  # pyright: ignore[reportArgumentType]
        paper=_row(source, row),
    )


VARIANTS = [
    _variant("no-multiscale", "without multi-scale generation", "Table 2", "w/o MG", scales=()),
    _variant("scales-35", "without the features of kernel 1", "Table 3", "w/o k=1", scales=(3, 5)),
    _variant("scales-15", "without the features of kernel 3", "Table 3", "w/o k=3", scales=(1, 5)),
    _variant("scales-13", "without the features of kernel 5", "Table 3", "w/o k=5", scales=(1, 3)),
    _variant("add", "fusion by addition", "Table 4", "Add", fusion="add"),
    _variant("multiply", "fusion by multiplication", "Table 4", "Multiply", fusion="multiply"),
    _variant("concat", "fusion by concatenation", "Table 4", "Concat", fusion="concat"),
]

# Small enough for two cores; the signal is planted, so the best attainable result is known.
DEMO = Experiment(
    name="jamfn-demo",
    title="JAMFN on D-Vlog, demo: a small model",
    corpus=Corpus(
        name="dvlog",
        lengths={"acoustic": 128, "visual": 128},
        synthetic={"items": 2000, "seed": 0, "mean_length": 64},
        validation="valid",
    ),
    model=JAMFN(hidden=32, layers=1, channels=64),
    optimizer=Optimizer(name="adam", learning_rate=1e-3, weight_decay=5e-4),
    training=Training(batch_size=32, epochs=30, patience=8),
)

EXPERIMENTS = [PAPER, DEMO, *VARIANTS]
