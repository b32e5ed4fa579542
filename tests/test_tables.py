"""Every published row stands in a table, and every row names an experiment that fits it."""

import pytest

from jaxdep.analysis import published
from jaxdep.data.stand_ins import synthesize
from jaxdep.errors import UserError
from jaxdep.experiments import EXPERIMENTS
from jaxdep.experiments.small import small
from jaxdep.experiments.tables import PAPERS
from jaxdep.models import MODELS
from jaxdep.runner import reproduce
from jaxdep.tables import Row

TRAINED = [
    pytest.param(paper, table, row, id=f"{paper.name}:{table.name}:{row.label}:{row.corpus}")
    for paper in PAPERS.values()
    for table in paper.tables
    for row in table.rows
    if row.experiment
]


@pytest.mark.parametrize(("paper", "table", "row"), TRAINED)
def test_the_experiment_fits_the_row(paper, table, row):
    experiment = EXPERIMENTS[row.experiment]
    assert experiment.corpus.name == row.corpus
    assert row.task in {*experiment.tasks, *experiment.labels.values()}
    assert small(experiment).name == experiment.name


def stand_ins():
    """The stand-in of each small experiment, with the arguments of its generator."""
    found = {}
    for experiment in EXPERIMENTS.values():
        corpus = small(experiment).corpus
        found[f"{corpus.name}-{corpus.synthetic}"] = corpus
    for corpus in found.values():
        # The stand-in for MMD2023 takes 20 s.
        marks = [pytest.mark.slow] if corpus.name == "mmd2023" else []
        yield pytest.param(corpus.name, corpus.synthetic, id=corpus.name, marks=marks)


@pytest.mark.parametrize(("corpus", "given"), [*stand_ins()])
def test_the_generator_accepts_the_size_of_a_small_stand_in(corpus, given, tmp_path):
    assert synthesize(corpus, tmp_path, **given)["items"] == given["items"]


def test_every_published_row_is_in_a_table_of_its_paper():
    missing = []
    for paper in PAPERS.values():
        rows = {
            (table.source, row.corpus, row.task, row.label)
            for table in paper.tables
            for row in table.rows
        }
        missing += [
            entry
            for entry in published.entries()
            if entry.system == paper.system
            and (entry.source, entry.corpus, entry.task, entry.row) not in rows
        ]
    assert missing == []
    assert {entry.system for entry in published.entries()} == {
        paper.system for paper in PAPERS.values() if paper.system
    }


def test_the_count_of_covered_rows():
    counted = reproduce.coverage()
    own = [each for each in counted if each.own]
    others = [each for each in counted if not each.own]
    assert sum(each.rows for each in own) == 79
    assert sum(each.experiments + each.reasons for each in own) == 79
    assert sum(each.rows for each in others) == 53
    assert sum(each.experiments + each.reasons for each in others) == 53
    # Only methods on raw video, of other papers, and other pre-training have no experiment.
    assert {(each.paper, each.own): each.reasons for each in counted if each.reasons} == {
        ("mddr", True): 4,
        ("mddr", False): 24,
        ("smfl", False): 2,
    }


@pytest.mark.parametrize(("paper", "table"), [(p, t) for p in PAPERS.values() for t in p.tables])
def test_the_proposed_row_is_in_its_table(paper, table):
    assert table.proposed in [row.label for row in table.rows]
    keys = [(row.label, row.corpus, row.task) for row in table.rows]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize(("paper", "table", "row"), TRAINED)
def test_a_small_variant_is_smaller(paper, table, row):
    experiment = EXPERIMENTS[row.experiment]
    if type(experiment.model) in MODELS.values():
        assert small(experiment).training.epochs < experiment.training.epochs
    assert small(experiment).corpus.synthetic["items"] < experiment.corpus.synthetic["items"]


def test_networks_read_the_words_of_interviews_in_rows_of_their_own():
    tables = {table.name: table for table in PAPERS["matrix"].tables}
    for corpus in ("daicwoz", "mmd2023", "edaic"):
        rows = {row.label: row for row in tables[corpus].rows}
        assert rows["BiGRU, words"].experiment == f"bigru-{corpus}-text"
        assert EXPERIMENTS[f"bigru-{corpus}-text"].model.modalities == ("text",)
        assert "would train for days" in rows["BiGRU"].reason
        # Methods of scikit-learn read all modalities; TAMFN needs two.
        unread = {"Support vector machine", "TAMFN"}
        assert not {f"{label}, words" for label in unread} & rows.keys()
        assert '"words"' in tables[corpus].note
    assert not any("words" in row.label for row in tables["avec2013"].rows)


def test_text_baselines_join_table_iv_of_amm_as_rows_that_the_paper_does_not_have():
    table, text = (PAPERS["amm"].table(name) for name in ("table4", "text"))
    added = {row.experiment: row for row in table.rows if row.label.endswith(", text (added)")}
    assert {*added} == {row.experiment for row in text.rows if not row.own}
    assert len(added) == 9
    for row in added.values():
        key = {"system": "AMM", "source": table.source, "row": row.label}
        assert published.figures(key, row.corpus, row.task) == {}
        assert not row.own
    assert [row.own for row in table.rows] == [True] * 12 + [False] * len(added)
    assert '"added" are not in the paper' in table.note
    # Both tables share the runs.
    assert {reproduce.run_name(row, False) for row in added.values()} == {*added}


def test_a_row_needs_an_experiment_or_a_reason():
    with pytest.raises(ValueError, match="either an experiment or a reason"):
        Row("JAMFN", "dvlog")
    with pytest.raises(ValueError, match="either an experiment or a reason"):
        Row("JAMFN", "dvlog", experiment="jamfn", reason="no")


def test_mistakes_in_the_selection():
    with pytest.raises(UserError, match="unknown paper 'jamn'; did you mean 'jamfn'"):
        reproduce.select("jamn")
    with pytest.raises(UserError, match="jamfn has no table 'table9'; choose from table1"):
        reproduce.select("jamfn:table9")
    with pytest.raises(UserError, match="jamfn has no table ''"):
        reproduce.select("jamfn:")


def test_folders_of_one_corpus_and_of_several():
    assert reproduce.parse_folders("jamfn", ["/a"]) == {"dvlog": "/a"}
    assert reproduce.parse_folders("jamfn", ["dvlog=/a"]) == {"dvlog": "/a"}
    assert reproduce.parse_folders("jamfn", ["/a=b"]) == {"dvlog": "/a=b"}
    both = reproduce.parse_folders("mddr:table3", ["avec2013=/a", "avec2014=/b"])
    assert both == {"avec2013": "/a", "avec2014": "/b"}
    with pytest.raises(UserError, match=r"name the corpus of the folder, such as avec2013=FOLDER"):
        reproduce.parse_folders("mddr:table3", ["/a"])
    with pytest.raises(UserError, match="dvlog is given twice"):
        reproduce.parse_folders("jamfn", ["/a", "/b"])
