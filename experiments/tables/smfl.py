"""Tables of the SMFL paper (Frontiers in Psychiatry 2025), on MMD2023 and DAIC-WOZ.

jaxdep reproduce smfl:table3 --seeds 8 --manual-dir /corpora/daicwoz
"""

from jaxdep.tables import Paper, Row, Table, by_others


def _mmd2023(label: str, suffix: str = "") -> Row:
    return Row(label, "mmd2023", experiment=f"smfl-mmd2023{suffix}")


def _daicwoz(label: str, suffix: str = "") -> Row:
    return Row(label, "daicwoz", experiment=f"smfl-daicwoz{suffix}")


_ELSEWHERE = (
    "a method of another paper, of which this one describes neither the network nor the features"
)

PAPER = Paper(
    name="smfl",
    system="SMFL",
    title="SMFL (Frontiers in Psychiatry 2025)",
    tables=(
        Table(
            name="table2",
            source="Table 2",
            title="Comparison on MMD2023",
            rows=(
                _mmd2023("TCN (all)", "-tcn-all"),
                _mmd2023("TCN (sentence)", "-tcn-sentence"),
                _mmd2023("TCN + Self-Attention + Cross-Attention", "-tcn-cross"),
                _mmd2023("LSTM + Self-Attention + Cross-Attention", "-lstm-cross"),
                _mmd2023("SMFL"),
            ),
            proposed="SMFL",
        ),
        Table(
            name="table3",
            source="Table 3",
            title="Comparison on DAIC-WOZ",
            rows=(
                _daicwoz("TCN (all)", "-tcn-all"),
                _daicwoz("TCN (sentence)", "-tcn-sentence"),
                _daicwoz("LSTM + Self-Attention", "-lstm-attention"),
                _daicwoz("LSTM + Self-Attention + Cross-Attention", "-lstm-cross"),
                _daicwoz("TCN + Self-Attention", "-tcn-attention"),
                _daicwoz("TCN + LSTM + Self-Attention", "-mmfl"),
                *by_others(
                    Row("Zou et al.", "daicwoz", reason=_ELSEWHERE),
                    Row("C-CNN", "daicwoz", reason=_ELSEWHERE),
                ),
                _daicwoz("SMFL"),
            ),
            proposed="SMFL",
        ),
        Table(
            name="table4",
            source="Table 4",
            title="Encoders and attention on DAIC-WOZ",
            rows=(
                _daicwoz("TCN (all)", "-tcn-all"),
                _daicwoz("TCN (sentence)", "-tcn-sentence"),
                _daicwoz("TCN (sentence) + LSTM", "-tcn-lstm"),
                _daicwoz("MMFL", "-mmfl"),
                _daicwoz("MMFL + Cross-Attention", "-no-cmjat"),
                _daicwoz("MMFL + Cross-Attention + CMJAT"),
            ),
            proposed="MMFL + Cross-Attention + CMJAT",
        ),
        Table(
            name="figure6",
            source="Figure 6",
            title="Modalities",
            rows=tuple(
                Row(label, corpus, experiment=f"smfl-{corpus}{suffix}")
                for corpus in ("daicwoz", "mmd2023")
                for label, suffix in (
                    ("audio", "-acoustic"),
                    ("video", "-visual"),
                    ("text", "-text"),
                    ("audio + video", "-acoustic-visual"),
                    ("audio + text", "-acoustic-text"),
                    ("video + text", "-visual-text"),
                    ("audio + video + text", ""),
                )
            ),
            proposed="audio + video + text",
            note="The paper shows this figure without numbers.",
        ),
    ),
)
