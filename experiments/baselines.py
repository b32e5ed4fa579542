"""Baselines on the corpora: methods of scikit-learn on functionals, and networks of other papers.

    jaxdep run svm-dvlog --manual-dir /corpora/dvlog
    jaxdep run mult-mgid-text --seeds 8 --manual-dir /corpora/mgid

Each has the corpus, splits and task of the system that was published on this corpus. What the
papers do not say of their baselines is the same for all: the networks train with Adam at a learning
rate of 1e-3, with the batches, epochs and patience of that system, and none of their settings was
tuned; `jaxdep sweep` tunes them on validation data. The methods of scikit-learn choose theirs on
the validation split.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from jaxdep.data.functionals import FUNCTIONALS
from jaxdep.experiment import Experiment, Optimizer
from jaxdep.experiments import amm, depformer, jamfn, mddr, smfl, transfers
from jaxdep.models import (
    BERT,
    BLSTM,
    DCNN,
    HAN,
    RCNN,
    SVM,
    TAMFN,
    TFN,
    BiGRU,
    DepressionDetector,
    FeatureFusion,
    KNNFusion,
    LogisticRegression,
    MHABiLSTM,
    MulT,
    RandomForest,
)


class Setting(NamedTuple):
    """A corpus with the modalities that a baseline reads.

    Attributes:
      name: suffix of the experiments' names.
      title: name in titles.
      base: experiment of a system on the corpus.
      modalities: names of the inputs.
      functionals: functionals of the methods of scikit-learn.
      aligned: whether the modalities have the same frames.
      long: whether sequences have so many frames that a network would need days.
    """

    name: str
    title: str
    base: Experiment
    modalities: tuple[str, ...]
    functionals: tuple[str, ...] = ("mean",)
    aligned: bool = False
    long: bool = False


SETTINGS = (
    Setting("dvlog", "D-Vlog", jamfn.PAPER, ("acoustic", "visual"), aligned=True),
    Setting("mgid", "MGID, text and images", amm.DEPRESSION, ("text", "visual")),
    Setting("mgid-text", "MGID, text", amm.DEPRESSION, ("text",)),
    Setting("daic", "segments of DAIC-WOZ, text and face", amm.DAIC, ("text", "visual")),
    Setting("avec2013", "AVEC2013", mddr.AVEC2013, ("visual", "acoustic", "pose"), long=True),
    Setting("avec2014", "AVEC2014", mddr.AVEC2014, ("visual", "acoustic", "pose")),
    Setting(
        "daicwoz",
        "DAIC-WOZ",
        smfl.DAICWOZ,
        ("acoustic", "visual", "text"),
        functionals=FUNCTIONALS,
        long=True,
    ),
    Setting(
        "mmd2023",
        "MMD2023",
        smfl.MMD2023,
        ("acoustic", "visual", "text"),
        functionals=FUNCTIONALS,
        long=True,
    ),
    Setting("daicwoz-text", "DAIC-WOZ, sentences", smfl.DAICWOZ, ("text",)),
    Setting("mmd2023-text", "MMD2023, sentences", smfl.MMD2023, ("text",)),
    Setting("lmvd", "LMVD", transfers.LMVD, ("acoustic", "visual"), aligned=True),
    Setting(
        "edaic",
        "E-DAIC",
        transfers.EDAIC,
        ("acoustic", "visual", "text"),
        functionals=FUNCTIONALS,
        long=True,
    ),
    Setting("edaic-text", "E-DAIC, sentences", transfers.EDAIC, ("text",)),
    Setting("ewre", "EWRE", depformer.EWRE, ("visual", "acoustic"), aligned=True),
)

_FITTED: Mapping[str, tuple[str, type]] = {
    "lr": ("Logistic regression", LogisticRegression),
    "svm": ("Support vector machine", SVM),
    "rf": ("Random forest", RandomForest),
    "knn-fusion": ("KNN fusion", KNNFusion),
}
_NETWORKS: Mapping[str, tuple[str, type, Mapping[str, Any]]] = {
    "blstm": ("BLSTM", BLSTM, {}),
    "tfn": ("TFN", TFN, {}),
    "fusion-concat": ("Fusion by concatenation", FeatureFusion, {"fusion": "concat"}),
    "fusion-add": ("Fusion by addition", FeatureFusion, {"fusion": "add"}),
    "fusion-multiply": ("Fusion by multiplication", FeatureFusion, {"fusion": "multiply"}),
    "depression-detector": ("Depression Detector", DepressionDetector, {}),
    "tamfn": ("TAMFN", TAMFN, {}),
    "bigru": ("BiGRU", BiGRU, {}),
    "han": ("HAN", HAN, {}),
    "mha-bilstm": ("MHA-BiLSTM", MHABiLSTM, {}),
    "dcnn": ("Multi-modal DCNN", DCNN, {}),
    "bert": ("BERT", BERT, {}),
    "rcnn": ("RCNN", RCNN, {}),
    "mult": ("MulT", MulT, {}),
}


TITLES = {name: named[0] for name, named in (*_FITTED.items(), *_NETWORKS.items())}
"""Titles of the baselines by the prefix of their experiments' names."""


def reason(network: str, setting: Setting) -> str:
    """Why a baseline is not trained on a corpus; empty if it is."""
    if network in _FITTED:
        scores = setting.base.tasks["depression"].metric == "mae"
        return (
            "it predicts classes, but the corpus has scores" if network == "lr" and scores else ""
        )
    if network == "tamfn" and len(setting.modalities) < 2:
        return "it needs two modalities"
    if network == "tamfn" and not setting.aligned:
        return "it needs modalities with the same frames"
    if setting.long:
        return "recordings have tens of thousands of frames, on which it would train for days"
    return ""


def sentences(setting: Setting) -> Setting | None:
    """The words of a setting's long recordings, one embedding a sentence; None if there are none.

    Networks read them instead of all frames.
    """
    named = {each.name: each for each in SETTINGS}
    return named.get(f"{setting.name}-text") if setting.long else None


def _experiments(setting: Setting) -> Iterator[Experiment]:
    task = setting.base.tasks["depression"]
    base = replace(setting.base, tasks={"depression": task}, paper=None)
    for name, title in TITLES.items():
        if not reason(name, setting):
            fitted = name in _FITTED
            yield replace(
                base,
                name=f"{name}-{setting.name}",
                title=f"{title} on {setting.title}",
                model=_fitted(name, setting) if fitted else _network(name, setting),
                optimizer=base.optimizer if fitted else Optimizer(learning_rate=1e-3),
            )


def _fitted(name: str, setting: Setting) -> Any:
    model = _FITTED[name][1]
    scaled: dict[str, Any] = {"standardize": True} if model is LogisticRegression else {}
    return model(functionals=setting.functionals, modalities=setting.modalities, **scaled)


def _network(name: str, setting: Setting) -> Any:
    _, model, fields = _NETWORKS[name]
    classes = 2 if setting.base.tasks["depression"].metric == "accuracy" else None
    return model(modalities=setting.modalities, classes=classes, **fields)


EXPERIMENTS = [
    experiment
    for setting in SETTINGS
    for experiment in _experiments(setting)
    if experiment.name not in {"lr-mgid-text", "lr-daicwoz", "lr-mmd2023", "lr-ewre"}
]
