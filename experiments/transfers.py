"""Systems on corpora that their papers did not use, where modalities and labels fit.

    jaxdep run depformer-dvlog --seeds 8 --manual-dir /corpora/dvlog
    jaxdep run jamfn-lmvd --seeds 8 --manual-dir /corpora/lmvd
    jaxdep reproduce matrix --small

Each has the model and the optimizer of its system, and the corpus, splits, task, batches and epochs
of the system that was published on the corpus. Nothing was tuned. LMVD and E-DAIC are corpora of
none of the papers: what runs there is as on D-Vlog and on DAIC-WOZ. The landmarks of LMVD are in
pixels and are standardised over each recording.
"""

from dataclasses import replace

from jaxdep.experiment import Corpus, Experiment
from jaxdep.experiments import amm, depformer, jamfn, mddr, smfl
from jaxdep.models import AMM, DEPFormer


def _depformer(base: Experiment, title: str) -> Experiment:
    """DEP-Former on frames: the means over 24 segments of a recording stand for words."""
    scores = base.tasks["depression"].metric == "mae"
    return replace(
        base,
        name=f"depformer-{base.corpus.name}",
        title=f"DEP-Former on {title}: 24 segments of a recording",
        model=DEPFormer(words_from="segments", classes=None if scores else 2),
        optimizer=depformer.EWRE.optimizer,
        training=replace(base.training, shard_batch=False),
        paper=None,
    )


_LMVD_SECONDS = 422  # mean length of the corpus: 214 hours, 1823 vlogs

LMVD = replace(
    jamfn.PAPER,
    name="jamfn-lmvd",
    title="JAMFN on LMVD",
    corpus=Corpus(
        name="lmvd",
        lengths={"acoustic": _LMVD_SECONDS, "visual": _LMVD_SECONDS},
        options={"normalize": "recording"},
        synthetic={"items": 400, "seed": 0},
        validation="valid",
    ),
    paper=None,
)
EDAIC = replace(
    smfl.DAICWOZ,
    name="smfl-edaic",
    title="SMFL on E-DAIC",
    corpus=Corpus(
        name="edaic",
        options=smfl.DAICWOZ.corpus.options,
        synthetic={"items": 275, "seed": 0},
        validation="dev",
    ),
    paper=None,
)


def _amm(base: Experiment, title: str) -> Experiment:
    """Text-AMM on the sentences of interviews."""
    return replace(
        base,
        name=f"amm-{base.corpus.name}",
        title=f"Text-AMM on {title}",
        model=AMM(modalities=("text",), tasks={"depression": 2}),
        optimizer=amm.BOTH.optimizer,
        paper=None,
    )


EXPERIMENTS = [
    LMVD,
    EDAIC,
    _depformer(jamfn.PAPER, "D-Vlog"),
    _depformer(mddr.AVEC2013, "AVEC2013"),
    _depformer(smfl.DAICWOZ, "DAIC-WOZ"),
    _depformer(smfl.MMD2023, "MMD2023"),
    _depformer(LMVD, "LMVD"),
    _depformer(EDAIC, "E-DAIC"),
    _amm(smfl.MMD2023, "MMD2023"),
    _amm(EDAIC, "E-DAIC"),
]
