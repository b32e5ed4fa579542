"""Results of the DEP-Former paper (IEEE TCSVT 2025), on EWRE and AVEC2014.

jaxdep reproduce depformer:ewre --seeds 8 --manual-dir /corpora/ewre
"""

from jaxdep.tables import Paper, Row, Table

_NO_FIGURES = "Of this paper only the abstract is openly accessible, which has no figures of this."

PAPER = Paper(
    name="depformer",
    system="DEP-Former",
    title="DEP-Former (IEEE TCSVT 2025)",
    tables=(
        Table(
            name="ewre",
            source="abstract",
            title="Modalities on EWRE",
            rows=(
                Row("face", "ewre", experiment="depformer-ewre-visual"),
                Row("voice", "ewre", experiment="depformer-ewre-acoustic"),
                Row("DEP-Former", "ewre", experiment="depformer-ewre"),
            ),
            proposed="DEP-Former",
            note="Of the words, the abstract names dismissal and tragedy, to which depressed"
            " patients are more sensitive, and passion, purity and justice, to which healthy people"
            " are. All of ours, with intervals and tests, are in the report of each run,"
            " runs/<experiment>/report.html, and in its words.csv.",
        ),
        Table(
            name="avec2014",
            source="AVEC2014",
            title="AVEC2014: two classes, four categories of severity, and the score",
            rows=(
                Row("binary", "avec2014", "depressed", experiment="depformer-avec2014-binary"),
                Row("severity", "avec2014", "severity", experiment="depformer-avec2014-severity"),
                Row("score", "avec2014", experiment="depformer-avec2014"),
            ),
            proposed="score",
            note=_NO_FIGURES,
        ),
    ),
)
