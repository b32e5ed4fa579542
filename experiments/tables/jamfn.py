"""Tables of the JAMFN paper (Zhou et al., Interspeech 2023), on D-Vlog.

jaxdep reproduce jamfn --seeds 10 --manual-dir /corpora/dvlog
jaxdep reproduce jamfn:table4 --seeds 10 --manual-dir /corpora/dvlog
"""

from jaxdep.tables import Paper, Row, Table, by_others


def _row(label: str, experiment: str) -> Row:
    return Row(label, "dvlog", experiment=experiment)


PAPER = Paper(
    name="jamfn",
    system="JAMFN",
    title="JAMFN (Zhou et al., Interspeech 2023)",
    tables=(
        Table(
            name="table1",
            source="Table 1",
            title="Comparison with other methods on D-Vlog",
            rows=(
                *by_others(
                    _row("LR", "lr-dvlog"),
                    _row("SVM", "svm-dvlog"),
                    _row("RF", "rf-dvlog"),
                    _row("KNN-Fusion", "knn-fusion-dvlog"),
                    _row("BLSTM", "blstm-dvlog"),
                    _row("TFN", "tfn-dvlog"),
                    _row("Fusion_Concat", "fusion-concat-dvlog"),
                    _row("Fusion_Add", "fusion-add-dvlog"),
                    _row("Fusion_Multiply", "fusion-multiply-dvlog"),
                    _row("Depression Detector", "depression-detector-dvlog"),
                    _row("TAMFN", "tamfn-dvlog"),
                ),
                _row("JAMFN", "jamfn"),
            ),
            proposed="JAMFN",
            note="The paper takes the results of the other methods from Yoon et al. (AAAI 2022) and"
            " Zhou et al. (TNSRE 2022). Ours are trained here: the methods of scikit-learn with"
            " settings chosen on validation data, the networks with one setting each, not tuned.",
        ),
        Table(
            name="table2",
            source="Table 2",
            title="Multi-scale generation",
            rows=(_row("w/o MG", "jamfn-no-multiscale"), _row("with MG", "jamfn")),
            proposed="with MG",
        ),
        Table(
            name="table3",
            source="Table 3",
            title="Sizes of the convolution kernels",
            note="The paper's table does not repeat its results with all kernels.",
            rows=(
                _row("w/o k=1", "jamfn-scales-35"),
                _row("w/o k=3", "jamfn-scales-15"),
                _row("w/o k=5", "jamfn-scales-13"),
                _row("all kernels", "jamfn"),
            ),
            proposed="all kernels",
        ),
        Table(
            name="table4",
            source="Table 4",
            title="Fusion of the modalities",
            rows=(
                _row("Add", "jamfn-add"),
                _row("Multiply", "jamfn-multiply"),
                _row("Concat", "jamfn-concat"),
                _row("JAF", "jamfn"),
            ),
            proposed="JAF",
        ),
    ),
)
