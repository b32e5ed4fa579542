"""AMM on MGID and DAIC-WOZ (Zhang et al., BIBM 2021), and a logistic regression baseline.

    jaxdep prepare mgid --manual-dir /corpora/mgid --image-encoder DIR    before runs with images
    jaxdep run amm-mgid --seeds 8 --manual-dir /corpora/mgid        text and images
    jaxdep run amm-mgid-text --seeds 8 --manual-dir /corpora/mgid   text only
    jaxdep run lr-mgid-text --manual-dir /corpora/mgid
    jaxdep run amm-daic --seeds 8 --manual-dir /corpora/daicwoz     with the user's emotion.csv

On MGID, the epoch is selected on a tenth of the training split, carved so that identical texts stay
together; dev and test are not used for selection. If the corpus has no test split, results are
reported on dev and labeled accordingly. The paper trains MGID at a learning rate of 5e-3; the
default here is its rate for DAIC, 1e-3. Use `--set optimizer.learning_rate=5e-3` for the former.

Results on dev with MiniLM embeddings and `--set training.patience=3`:
`amm-mgid-text-narrow-depression`, 8 seeds, accuracy 0.851 (std 0.033; 95% CI over runs
[0.826, 0.879], by a bootstrap; reports now give Student's t, which is wider); `lr-mgid-text` 0.842;
difference +0.009, 95% CI over test items [-0.010, +0.028].

On DAIC-WOZ, an item is a segment of an interview, annotated by the user. The splits are the
official ones, and the epoch is selected on the development split. The paper's 621 items cannot be
identified in the 189 released interviews (reading 23 in the model's README). The stand-in has 189
interviews of 90 seconds, with about 621 segments. There are no results yet.
"""

from dataclasses import replace

from jaxdep.experiment import Corpus, Experiment, Optimizer, PaperRow, Task, Training
from jaxdep.models import AMM, LogisticRegression

_BOTH = {"depression": Task(average="micro"), "emotion": Task(average="micro")}
_CLASSES = {"depression": 2, "emotion": 6}
_TOKENS = 64  # 95% of the texts are at most this long

_OPEN = (
    "model.tokens",
    "model.text_hidden",
    "model.visual_hidden",
    "model.features",
    "model.task_hidden",
    "model.residual",
    "tasks.*.weight",
    "tasks.*.average",
    "optimizer.weight_decay",
    "corpus.validation",
    "corpus.carve",
    "corpus.test",
    "training.monitor",
)
_MGID = PaperRow(
    "AMM",
    "Table IV",
    "MTL T+V",
    open=(
        *_OPEN,
        "corpus.lengths.text",
        "corpus.options.image_encoder",
        "corpus.options.zones",
        # The paper's own values, from which the experiments depart.
        "optimizer.learning_rate=0.005",
        "training.patience=0",
    ),
)
_DAIC = PaperRow(
    "AMM",
    "Table III",
    "AMM",
    open=(*_OPEN, "corpus.lengths.visual", "corpus.options.clip_frames", "training.patience=0"),
)

BOTH = Experiment(
    name="amm-mgid",
    title="AMM on MGID, text and images, multi-task",
    corpus=Corpus(
        name="mgid",
        lengths={"text": _TOKENS},
        synthetic={"items": 5000, "seed": 0},
        test=("test", "dev"),
    ),
    model=AMM(tasks=_CLASSES),
    tasks=_BOTH,
    optimizer=Optimizer(name="adam", learning_rate=1e-3, weight_decay=1e-5),
    training=Training(batch_size=64, epochs=100, patience=4),
    paper=_MGID,
)

TEXT = replace(
    BOTH,
    name="amm-mgid-text",
    title="Text-AMM on MGID, multi-task",
    model=BOTH.model.clone(modalities=("text",)),
    paper=replace(_MGID, row="MTL T"),
)

IMAGE = replace(
    BOTH,
    name="amm-mgid-image",
    title="Image-AMM on MGID, multi-task",
    model=BOTH.model.clone(modalities=("visual",)),
    paper=replace(_MGID, row="MTL V"),
)

# Narrower than the defaults (the paper does not state the widths), to train in minutes on a CPU.
NARROW = replace(
    TEXT,
    name="amm-mgid-text-narrow",
    title="Text-AMM on MGID, narrow, multi-task",
    model=TEXT.model.clone(text_hidden=128, features=256, task_hidden=128),
)


def _single(multi: Experiment, task: str, row: str) -> Experiment:
    return replace(
        multi,
        name=f"{multi.name}-{task}",
        title=multi.title.replace("multi-task", f"{task} only"),
        model=multi.model.clone(tasks={task: multi.model.tasks[task]}),
        tasks={task: _BOTH[task]},
        paper=multi.paper and replace(multi.paper, source="Table IV", row=row),
    )


DEPRESSION = _single(BOTH, "depression", "STL T+V")


def _table_5(multi: Experiment) -> list[Experiment]:
    single = _single(multi, "depression", "")

    def ablated(base: Experiment, suffix: str, title: str, row: str, **fields: bool) -> Experiment:
        return replace(
            base,
            name=f"{multi.name}-{suffix}",
            title=multi.title.replace("multi-task", title),
            model=base.model.clone(**fields),
            paper=multi.paper and replace(multi.paper, source="Table V", row=row),
        )

    # The third row, "No I_t Attention", "only handles depression detection" (section IV.E): that
    # is the single-task model.
    return [
        ablated(multi, "no-ie", "without inter-modal attention", "No Ie", inter_modal=False),
        ablated(
            single, "no-attention", "without either attention", "No attention", inter_modal=False
        ),
    ]


DAIC = replace(
    BOTH,
    name="amm-daic",
    title="AMM on DAIC-WOZ, text and face, multi-task",
    corpus=Corpus(
        name="daicwoz",
        # AMM does not read the voice, and 20 seconds of the face at 30 frames per second.
        lengths={"acoustic": 1, "visual": 600},
        options={"items": "segments"},
        synthetic={"items": 189, "seed": 0, "mean_seconds": 90.0},
        validation="dev",
    ),
    model=AMM(tasks={"depression": 2, "emotion": 2}, dropout=0.3),
    paper=_DAIC,
)


def _one_modality(suffix: str, modality: str, row: str) -> Experiment:
    return replace(
        DAIC,
        name=f"{DAIC.name}-{suffix}",
        title=f"{row} on DAIC-WOZ, multi-task",
        model=DAIC.model.clone(modalities=(modality,)),
        paper=replace(_DAIC, row=row),
    )


REGRESSION = replace(
    TEXT,
    name="lr-mgid-text",
    title="Logistic regression on mean-pooled token embeddings, MGID",
    model=LogisticRegression(),
    tasks={"depression": _BOTH["depression"]},
    paper=None,
)

EXPERIMENTS = [
    TEXT,
    _single(TEXT, "depression", "STL T"),
    _single(TEXT, "emotion", "STL T"),
    NARROW,
    _single(NARROW, "depression", "STL T"),
    IMAGE,
    _single(IMAGE, "depression", "STL V"),
    _single(IMAGE, "emotion", "STL V"),
    BOTH,
    DEPRESSION,
    _single(BOTH, "emotion", "STL T+V"),
    *_table_5(BOTH),
    REGRESSION,
    DAIC,
    _one_modality("text", "text", "Text-AMM"),
    _one_modality("image", "visual", "Image-AMM"),
    replace(_single(DAIC, "depression", ""), paper=replace(_DAIC, source="Table V", row="No It")),
    *_table_5(DAIC),
]
