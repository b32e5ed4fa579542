"""Tables of the AMM paper (Zhang et al., BIBM 2021), on MGID and DAIC-WOZ.

    jaxdep reproduce amm:table4 --seeds 8 --manual-dir /corpora/mgid
    jaxdep reproduce amm --seeds 8 --manual-dir mgid=/corpora/mgid daicwoz=/corpora/daicwoz

With texts alone, the rows that need images are listed with that reason. Table IV goes on with other
methods on the texts, which the paper does not have; `amm:text` tests these against Text-AMM.
"""

from dataclasses import replace

from jaxdep.tables import Paper, Row, Table, by_others

_CORPORA = ("daicwoz", "mgid")
_OTHERS = {
    "SVM": "svm",
    "Multi-modal DCNN": "dcnn",
    "BiGRU": "bigru",
    "HAN": "han",
    "MHA-BiLSTM": "mha-bilstm",
    "BERT": "bert",
    "RCNN-RoBERTa": "rcnn",
    "Multi-modal Transformer": "mult",
}
_ON_TEXTS = by_others(
    Row("Logistic regression", "mgid", experiment="lr-mgid-text"),
    *(Row(label, "mgid", experiment=f"{name}-mgid-text") for label, name in _OTHERS.items()),
)
"""Other methods on the texts of MGID alone; no table of the paper has these rows."""

_ADDED = (
    'Rows marked "added" are not in the paper\'s Table IV: they are other methods, which here read'
    " the texts alone and classify depression. The paper compares with most of them in Table III."
)
_DAIC = (
    "The paper counts 621 items of DAIC and labels them with emotions; the corpus has 189"
    " interviews and no such labels. Here an item is a segment of an interview from the user's"
    " emotion.csv."
)


def _experiment(corpus: str, suffix: str = "") -> str:
    return f"amm-{'daic' if corpus == 'daicwoz' else corpus}{suffix}"


def _table_3(corpus: str) -> tuple[Row, ...]:
    suffix = "daic" if corpus == "daicwoz" else corpus
    others = [Row(label, corpus, experiment=f"{name}-{suffix}") for label, name in _OTHERS.items()]
    return (
        *by_others(*others),
        Row("Text-AMM", corpus, experiment=_experiment(corpus, "-text")),
        Row("Image-AMM", corpus, experiment=_experiment(corpus, "-image")),
        Row("AMM", corpus, experiment=_experiment(corpus)),
    )


def _table_4(task: str) -> tuple[Row, ...]:
    """Single-task (STL) and multi-task learning (MTL) with text (T), images (V) and both."""
    parts = {"T": "-text", "V": "-image", "T+V": ""}
    single = [
        Row(f"STL {part}", "mgid", task, experiment=f"amm-mgid{suffix}-{task}")
        for part, suffix in parts.items()
    ]
    multi = [
        Row(f"MTL {part}", "mgid", task, experiment=f"amm-mgid{suffix}")
        for part, suffix in parts.items()
    ]
    return (*single, *multi)


def _table_5(corpus: str) -> tuple[Row, ...]:
    return (
        Row("No Ie", corpus, experiment=_experiment(corpus, "-no-ie")),
        Row("No It", corpus, experiment=_experiment(corpus, "-depression")),
        Row("No attention", corpus, experiment=_experiment(corpus, "-no-attention")),
        Row("AMM", corpus, experiment=_experiment(corpus)),
    )


PAPER = Paper(
    name="amm",
    system="AMM",
    title="AMM (Zhang et al., BIBM 2021)",
    tables=(
        Table(
            name="table3",
            source="Table III",
            title="Comparison with other methods",
            rows=tuple(row for corpus in _CORPORA for row in _table_3(corpus)),
            proposed="AMM",
            note=f"{_DAIC} All methods read the features of the corpus here, not pixels or GloVe"
            " vectors.",
        ),
        Table(
            name="table4",
            source="Table IV",
            title="Single-task (STL) and multi-task learning (MTL) on MGID",
            rows=(
                *_table_4("depression"),
                *_table_4("emotion"),
                *(replace(row, label=f"{row.label}, text (added)") for row in _ON_TEXTS),
            ),
            proposed="MTL T+V",
            note=_ADDED,
        ),
        Table(
            name="table5",
            source="Table V",
            title="Inter-modal (Ie) and inter-task (It) attention",
            rows=tuple(row for corpus in _CORPORA for row in _table_5(corpus)),
            proposed="AMM",
            note=_DAIC,
        ),
        Table(
            name="text",
            source="",
            title="All methods on the texts of MGID alone; not in the paper",
            rows=(
                *_ON_TEXTS,
                Row("Text-AMM, STL", "mgid", experiment="amm-mgid-text-depression"),
                Row("Text-AMM, MTL", "mgid", experiment="amm-mgid-text"),
            ),
            proposed="Text-AMM, MTL",
        ),
    ),
)
