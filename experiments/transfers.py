"""Systems on corpora that their papers did not use, where modalities and labels fit.

    jaxdep run depformer-dvlog --seeds 8 --manual-dir /corpora/dvlog
    jaxdep reproduce matrix --small

Each has the model and the optimizer of its system, and the corpus, splits, task, batches and epochs
of the system that was published on the corpus. Nothing was tuned.
"""

from dataclasses import replace

from jaxdep.experiment import Experiment
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


EXPERIMENTS = [
    _depformer(jamfn.PAPER, "D-Vlog"),
    _depformer(mddr.AVEC2013, "AVEC2013"),
    _depformer(smfl.DAICWOZ, "DAIC-WOZ"),
    _depformer(smfl.MMD2023, "MMD2023"),
    replace(
        smfl.MMD2023,
        name="amm-mmd2023",
        title="Text-AMM on MMD2023",
        model=AMM(modalities=("text",), tasks={"depression": 2}),
        optimizer=amm.BOTH.optimizer,
        paper=None,
    ),
]
