"""Every system and baseline on every corpus: what runs, and why the rest does not.

The report begins with an overview: one grid of all systems and corpora. Of MGID, the texts are
read: its archive has no images. Networks of baselines read interviews by the sentence, the words
alone, in rows of their own.

jaxdep reproduce matrix --small --seeds 2
jaxdep reproduce matrix:dvlog --seeds 8 --manual-dir /corpora/dvlog
"""

from collections.abc import Mapping
from dataclasses import replace

from jaxdep.experiments import baselines
from jaxdep.tables import Paper, Row, Table, by_others

_NO_VOICE = "it reads a voice, which the corpus does not have"
_NO_TEXT = "it reads texts, which the corpus does not have"
_RATES = "it needs voice and face at one frame rate"
_PIXELS = "it reads features of a face; the corpus has pixels"
_CLASSES = "it predicts a score; the corpus has classes"
_LONG = "it attends between all frames; interviews have tens of thousands"
_SENTENCES = "it reads interviews sentence by sentence; the corpus has no sentences"

# Of each system and setting of the baselines, the experiment, or after "no:" why there is none.
_SYSTEMS: Mapping[str, Mapping[str, str]] = {
    "JAMFN": {
        "dvlog": "jamfn",
        "avec2013": f"no:{_RATES}",
        "avec2014": f"no:{_RATES}",
        "daicwoz": f"no:{_RATES}",
        "mmd2023": f"no:{_RATES}",
        "ewre": f"no:{_PIXELS}",
        "mgid-text": f"no:{_NO_VOICE}",
        "lmvd": "jamfn-lmvd",
        "edaic": f"no:{_RATES}",
    },
    "MDDR": {
        "dvlog": f"no:{_CLASSES}",
        "avec2013": "mddr-avec2013",
        "avec2014": "mddr-avec2014",
        "daicwoz": f"no:{_LONG}",
        "mmd2023": f"no:{_LONG}",
        "ewre": f"no:{_CLASSES}",
        "mgid-text": f"no:{_CLASSES}",
        "lmvd": f"no:{_CLASSES}",
        "edaic": f"no:{_LONG}",
    },
    "AMM": {
        "dvlog": f"no:{_NO_TEXT}",
        "avec2013": f"no:{_NO_TEXT}",
        "avec2014": f"no:{_NO_TEXT}",
        "daicwoz": "amm-daic",
        "mmd2023": "amm-mmd2023",
        "ewre": f"no:{_NO_TEXT}",
        "mgid-text": "amm-mgid-text-depression",
        "lmvd": f"no:{_NO_TEXT}",
        "edaic": "amm-edaic",
    },
    "SMFL": {
        "dvlog": f"no:{_SENTENCES}",
        "avec2013": f"no:{_SENTENCES}",
        "avec2014": f"no:{_SENTENCES}",
        "daicwoz": "smfl-daicwoz",
        "mmd2023": "smfl-mmd2023",
        "ewre": f"no:{_SENTENCES}",
        "mgid-text": f"no:{_SENTENCES}",
        "lmvd": f"no:{_SENTENCES}",
        "edaic": "smfl-edaic",
    },
    "DEP-Former": {
        "dvlog": "depformer-dvlog",
        "avec2013": "depformer-avec2013",
        "avec2014": "depformer-avec2014",
        "daicwoz": "depformer-daicwoz",
        "mmd2023": "depformer-mmd2023",
        "ewre": "depformer-ewre",
        "mgid-text": f"no:{_NO_VOICE}",
        "lmvd": "depformer-lmvd",
        "edaic": "depformer-edaic",
    },
}


def _system(label: str, setting: baselines.Setting) -> Row:
    found, corpus = _SYSTEMS[label][setting.name], setting.base.corpus.name
    if found.startswith("no:"):
        return Row(label, corpus, reason=found.removeprefix("no:"))
    return Row(label, corpus, experiment=found)


def _baseline(name: str, setting: baselines.Setting) -> Row:
    label, corpus = baselines.TITLES[name], setting.base.corpus.name
    if reason := baselines.reason(name, setting):
        return Row(label, corpus, reason=reason)
    return Row(label, corpus, experiment=f"{name}-{setting.name}")


def _words_alone(setting: baselines.Setting) -> tuple[Row, ...]:
    """Rows of the networks that read the sentences of recordings too long for them."""
    words = baselines.sentences(setting)
    if words is None:
        return ()
    rows = (_baseline(name, words) for name in baselines.TITLES if baselines.reason(name, setting))
    return tuple(replace(row, label=f"{row.label}, words") for row in rows if row.experiment)


def _note(setting: baselines.Setting) -> str:
    words = ' Rows marked "words" read one embedding a sentence, and neither voice nor face.'
    return (
        "Systems on corpora of other papers and networks of baselines were not tuned."
        f"{words if _words_alone(setting) else ''}"
    )


PAPER = Paper(
    name="matrix",
    system="",
    title="Every system on every corpus",
    tables=tuple(
        Table(
            name=setting.name,
            source="",
            title=setting.title,
            rows=(
                *(_system(label, setting) for label in _SYSTEMS),
                *by_others(*(_baseline(name, setting) for name in baselines.TITLES)),
                *by_others(*_words_alone(setting)),
            ),
            proposed=next(label for label in _SYSTEMS if _system(label, setting).experiment),
            note=_note(setting),
        )
        for setting in baselines.SETTINGS
        if setting.name in _SYSTEMS["JAMFN"]
    ),
)
