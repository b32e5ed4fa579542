"""AMM on MGID (Zhang et al., BIBM 2021), and a logistic regression beside it.

    jaxdep run amm-mgid --seeds 8 --manual-dir /corpora/mgid        text and images
    jaxdep run amm-mgid-text --seeds 8 --manual-dir /corpora/mgid   text alone

The epoch is chosen on a tenth of the training split, so that dev and test stay unseen. Where the
corpus has no test split, dev takes its place, and the table says so.
"""

from dataclasses import replace

from jaxdep.experiment import Corpus, Experiment, Optimizer, PaperRow, Task, Training
from jaxdep.models import AMM, LogisticRegression

_DEPRESSION, _EMOTION = Task(average="micro"), Task(average="micro")
_BOTH = {"depression": _DEPRESSION, "emotion": _EMOTION}

TEXT = Experiment(
    name="amm-mgid-text",
    title="Text-AMM on MGID, multi-task",
    corpus=Corpus(
        name="mgid",
        lengths={"text": 96},
        synthetic={"items": 5000, "seed": 0},
        test=("test", "dev"),
    ),
    model=AMM(tasks=("depression", "emotion")),
    tasks=_BOTH,
    optimizer=Optimizer(name="adam", learning_rate=1e-3, weight_decay=1e-5),
    training=Training(batch_size=64, epochs=100, patience=10),
    paper=PaperRow("AMM", "Table IV", "MTL T"),
)

BOTH = replace(
    TEXT,
    name="amm-mgid",
    title="AMM on MGID, text and images, multi-task",
    paper=PaperRow("AMM", "Table IV", "MTL T+V"),
)


def _single(multi: Experiment, task: str, row: str) -> Experiment:
    return replace(
        multi,
        name=f"{multi.name}-{task}",
        title=multi.title.replace("multi-task", f"{task} alone"),
        model=replace(multi.model, tasks=(task,)),
        tasks={task: _BOTH[task]},
        paper=PaperRow("AMM", "Table IV", row),
    )


REGRESSION = replace(
    TEXT,
    name="lr-mgid-text",
    title="Logistic regression on mean-pooled token embeddings, MGID",
    model=LogisticRegression(),
    tasks={"depression": _DEPRESSION},
    paper=None,
)

EXPERIMENTS = [
    TEXT,
    _single(TEXT, "depression", "STL T"),
    _single(TEXT, "emotion", "STL T"),
    BOTH,
    _single(BOTH, "depression", "STL T+V"),
    _single(BOTH, "emotion", "STL T+V"),
    REGRESSION,
]
