"""Tables of the MDDR paper (MM 2024), on AVEC2013 and AVEC2014.

    jaxdep reproduce mddr:table3 --seeds 4 --manual-dir avec2014=/corpora/avec2014 \
        avec2013=/corpora/avec2013
"""

from jaxdep.tables import Paper, Row, Table, by_others

_CORPORA = ("avec2013", "avec2014")


def _rows(label: str, suffix: str = "") -> tuple[Row, ...]:
    """A row on each corpus."""
    return tuple(Row(label, corpus, experiment=f"mddr-{corpus}{suffix}") for corpus in _CORPORA)


def _without(label: str, reason: str) -> tuple[Row, ...]:
    return tuple(Row(label, corpus, reason=reason) for corpus in _CORPORA)


_HAND_CRAFTED = "hand-crafted features of the pixels and the signal, which the corpora here lack"
_ON_VIDEO = "a network on raw video, which the stored features cannot replace"
_ON_UNITS = "spectra of facial action units over time, which are not among the features here"
_OTHERS = {
    "Baseline": _HAND_CRAFTED,
    "LPQ + Geo": _HAND_CRAFTED,
    "Concat+LSTM": _ON_VIDEO,
    "Two-DCNN": _ON_VIDEO,
    "C3D+RNN": _ON_VIDEO,
    "Two-Stream [20]": _ON_VIDEO,
    "C3D+atten": _ON_VIDEO,
    "C3D+Pool": _ON_VIDEO,
    "LGA-CNN": _ON_VIDEO,
    "ResNet + atten": _ON_VIDEO,
    "ResNet+distribution": _ON_VIDEO,
    "Two-stream": _ON_VIDEO,
    "AUs": _ON_UNITS,
}
_ONLY_2014 = ("Concat+LSTM", "ResNet + atten")

_FEATURES = (
    "needs facial features of a network with other pre-training: extract them, and run"
    " mddr-avec2013 and mddr-avec2014 on that folder"
)

PAPER = Paper(
    name="mddr",
    system="MDDR",
    title="MDDR (MM 2024)",
    tables=(
        Table(
            name="table1",
            source="Table 1",
            title="Comparison with other methods",
            rows=(
                *by_others(
                    *(
                        row
                        for label, reason in _OTHERS.items()
                        for row in _without(label, reason)
                        if row.corpus == "avec2014" or label not in _ONLY_2014
                    )
                ),
                *_rows("MDDR"),
            ),
            proposed="MDDR",
        ),
        Table(
            name="table2",
            source="Table 2",
            title="Pre-training of the facial features",
            rows=(
                *_without("no pre-training", _FEATURES),
                *_without("ImageNet", _FEATURES),
                *_rows("AffectNet"),
            ),
            proposed="AffectNet",
        ),
        Table(
            name="table3",
            source="Table 3",
            title="Modalities",
            rows=(
                *_rows("v", "-visual"),
                *_rows("a", "-acoustic"),
                *_rows("p", "-pose"),
                *_rows("v+a+p"),
            ),
            proposed="v+a+p",
        ),
        Table(
            name="table4",
            source="Table 4",
            title="Attention over modalities (FAN) and over time (SAN)",
            rows=(*_rows("FAN", "-fan"), *_rows("SAN", "-san"), *_rows("FAN+SAN")),
            proposed="FAN+SAN",
        ),
        Table(
            name="figure4",
            source="Figure 4",
            title="Loss",
            rows=(
                Row("Huber loss", "avec2014", experiment="mddr-avec2014-huber"),
                Row("DR loss", "avec2014", experiment="mddr-avec2014"),
            ),
            proposed="DR loss",
            note="The paper counts the recordings that are predicted in another category of"
            " severity.",
        ),
    ),
)
