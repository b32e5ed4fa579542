"""Titles of runs: what counts as a change, and how it is named."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from jaxdep import overrides
from jaxdep.analysis import published
from jaxdep.data import corpora
from jaxdep.data.opening import OpenCorpus
from jaxdep.experiments import EXPERIMENTS
from jaxdep.overrides import digest_of, from_json, to_json
from jaxdep.runner import labels
from jaxdep.runner.input_pipeline import PreparedExperiment
from jaxdep.settings.paths import flat

JAMFN, SMFL = EXPERIMENTS["jamfn"], EXPERIMENTS["smfl-daicwoz"]
MGID = EXPERIMENTS["amm-mgid-text"]


def labelled(experiment, base=None, synthetic=False, given=(), chosen=(), repeats=0):
    """The label of a run whose corpus was prepared with some options."""
    name = experiment.corpus.name
    defaults = corpora.with_defaults(name, {}) | dict(chosen)
    given = {**dict(given), **experiment.corpus.options}
    description = {
        "name": name,
        "synthetic": {} if synthetic else None,
        "contents": "",
        "options": {**defaults, **given},
        "given": given,
        "defaults": defaults,
    }
    data = OpenCorpus(Path("data"), description, {})
    completed = replace(experiment, corpus=replace(experiment.corpus, options=data.options))
    prepared = PreparedExperiment(completed, data)
    return labels.label(prepared, base or labels.base_of(experiment), repeats)


def changed(experiment, **values):
    return overrides.override(experiment, values.pop("to", {}) | values)


class TestChanges:
    @pytest.mark.parametrize("name", ["jamfn", "smfl-mmd2023-released", "depformer-ewre-figure"])
    def test_none_in_a_registered_experiment(self, name):
        label = labelled(EXPERIMENTS[name])
        assert label.changed == {}
        assert label.title == EXPERIMENTS[name].title

    def test_settings_have_their_values_before_and_after(self):
        run = changed(JAMFN, to={"model.hidden": 16, "corpus.lengths.text": 3})
        expected = {"model.hidden": (200, 16), "corpus.lengths.text": (None, 3)}
        assert labelled(run).changed == expected

    def test_options_that_were_completed_are_none(self):
        chosen = {"text_encoder": "bert-base-uncased"}
        assert labelled(MGID, chosen=chosen).changed == {}
        # Given, but what would have been chosen anyway.
        assert labelled(MGID, chosen=chosen, given=chosen).changed == {}
        found = labelled(MGID, chosen=chosen, given={"text_encoder": "hashing", "zones": 7})
        assert found.changed == {"corpus.options.text_encoder": (None, "hashing")}

    def test_options_that_the_experiment_sets_are_compared_with_its_own(self):
        run = changed(SMFL, to={"corpus.options.max_sentences": 0})
        assert labelled(run).changed == {"corpus.options.max_sentences": (21, 0)}

    def test_computed_class_weights_are_none_but_given_ones_are(self):
        path = "tasks.depression.options.class_weights"
        weights = {path: (1.0, 2.0)}
        assert labelled(changed(SMFL, to=weights)).changed == {}
        assert labelled(changed(JAMFN, to=weights)).changed == {path: (None, [1.0, 2.0])}

    def test_settings_of_the_stand_in_count_on_it_alone(self):
        run = changed(JAMFN, to={"corpus.synthetic.items": 60})
        assert labelled(run).changed == {}
        assert labelled(run, synthetic=True).changed == {"corpus.synthetic.items": (961, 60)}

    def test_a_value_is_compared_with_the_experiment_of_its_name(self):
        assert labelled(replace(JAMFN, title="The best")).title == JAMFN.title
        run = replace(JAMFN, model=EXPERIMENTS["jamfn-add"].model)
        assert labelled(run).changed == {"model.fusion": ("jaf", "add")}

    def test_an_experiment_that_is_not_registered_keeps_its_title(self):
        own = replace(JAMFN, name="own", title="My own")
        assert labelled(own).title == "My own"
        run = changed(own, to={"training.epochs": 3})
        assert labelled(run, base=labels.base_of(own)).title == "My own; changed: epochs=3"

    def test_different_digests_have_different_settings(self):
        tasks = EXPERIMENTS["amm-mgid"].tasks
        one = replace(EXPERIMENTS["amm-mgid"], tasks=dict(tasks))
        other = replace(one, tasks=dict(reversed(tasks.items())))
        assert digest_of(one) != digest_of(other)
        assert overrides.changes(one, other) == {"main_task": ("depression", "emotion")}


class TestTitle:
    @pytest.mark.parametrize(
        ("settings", "title"),
        [
            ({"model.hidden": 16, "model.layers": 1}, "hidden=16, layers=1"),
            ({"corpus.carve": 0.2, "model.scales": (1, 3)}, "scales=(1, 3), carve=0.2"),
            ({"optimizer.name": "sgd"}, "optimizer.name=sgd"),
            (
                {
                    "model.hidden": 16,
                    "model.layers": 1,
                    "model.channels": 4,
                    "training.epochs": 3,
                    "training.patience": 1,
                    "training.batch_size": 7,
                },
                "hidden=16, layers=1, channels=4, batch_size=7, epochs=3 and 1 more (DIGEST)",
            ),
        ],
    )
    def test_names_what_was_changed(self, settings, title):
        found = labelled(changed(JAMFN, to=settings)).title
        found = re.sub(r"\([0-9a-f]{8}\)$", "(DIGEST)", found)
        assert found == f"JAMFN on D-Vlog; changed: {title}"

    def test_runs_that_differ_in_what_is_cut_off_have_different_titles(self):
        many = {"model.hidden": 16, "model.layers": 1, "model.channels": 4, "training.epochs": 3}
        cut = [
            changed(JAMFN, to={**many, "training.patience": n, "training.batch_size": 7})
            for n in (1, 2)
        ]
        paths = ["/data/" + first + "/the/same/long/ending/of/two/encoders" for first in "ab"]
        long = [changed(MGID, to={"corpus.options.text_encoder": path}) for path in paths]
        for one, other in (cut, long):
            found, again, different = (labelled(run).title for run in (one, one, other))
            assert found == again
            assert found != different
            assert found.partition(" (")[0] == different.partition(" (")[0]

    @pytest.mark.parametrize(
        ("settings", "repeats", "title"),
        [
            ({}, 1, "5-fold cross-validation, not the official split"),
            ({}, 3, "3 times 5-fold cross-validation, not the official split"),
            ({"corpus.fold": 4}, 0, "fold 4 of 5, not the official split"),
            ({"corpus.fold_seed": 7}, 0, "fold 0 of 5 of cut 7, not the official split"),
            (
                {"model.hidden": 16},
                1,
                "5-fold cross-validation, not the official split; changed: hidden=16",
            ),
        ],
    )
    def test_says_that_the_split_is_not_the_official_one(self, settings, repeats, title):
        found = labelled(changed(JAMFN, to={"corpus.folds": 5, **settings}), repeats=repeats)
        assert found.title == f"JAMFN on D-Vlog; {title}"
        assert found.changed["corpus.folds"] == (0, 5)

    def test_weights_of_two_tasks_are_told_apart(self):
        found = labelled(changed(MGID, to={"tasks.emotion.weight": 0.5})).title
        assert found.endswith("; changed: emotion.weight=0.5")

    def test_hostile_text_stays_on_one_line(self):
        hostile = "<script>\n{{7*7}}\x1b" + "x" * 99
        found = labelled(changed(MGID, to={"corpus.options.text_encoder": hostile})).title
        assert r"text_encoder=<script>\n{{7*7}}\x1b" in found
        assert len(found) < 100
        assert found.isprintable()

    def test_registered_titles_differ_and_say_nothing_of_the_data(self):
        titles = [experiment.title for experiment in EXPERIMENTS.values()]
        assert len(set(titles)) == len(titles)
        for title in titles:
            assert "synthetic" not in title.lower()
            assert "paper's configuration" not in title


class TestOpen:
    """What the papers leave open, as declared in the experiments."""

    @pytest.mark.parametrize("name", [n for n, each in EXPERIMENTS.items() if each.paper])
    def test_every_entry_is_a_setting(self, name):
        experiment = EXPERIMENTS[name]
        # SMFL's two corpora share their entries, but not all of their options.
        related = {"daicwoz": "mmd2023", "mmd2023": "daicwoz"}
        names = [experiment.corpus.name, related.get(experiment.corpus.name, "dvlog")]
        options = {k: v for corpus in names for k, v in corpora.with_defaults(corpus, {}).items()}
        settings = [*flat(to_json(experiment)), *(f"corpus.options.{name}" for name in options)]
        assert experiment.paper.open
        for entry in experiment.paper.open:
            change = [None, entry.partition("=")[2]]
            permitted = [
                setting
                for setting in settings
                if not published.withheld({"open": [entry]}, {setting: change})
                and published.withheld(None, {setting: change})  # not every paper's
            ]
            assert permitted, entry

    @pytest.mark.parametrize(
        ("name", "settings", "shown"),
        [
            ("jamfn", {"model.readout": "mean", "corpus.lengths.visual": 600}, True),
            ("jamfn", {"model.hidden": 100}, True),
            ("jamfn", {"model.hidden": 16}, False),
            ("jamfn", {"corpus.folds": 5}, False),
            ("jamfn", {"model.readout": "mean", "training.epochs": 3}, False),
            ("jamfn", {"optimizer.learning_rate": 1e-3}, False),
            ("jamfn", {"training.shard_batch": False}, True),
            ("amm-mgid", {"optimizer.learning_rate": 5e-3, "training.patience": 0}, True),
            ("amm-mgid", {"optimizer.learning_rate": 3e-4}, False),
            ("amm-mgid", {"tasks.emotion.weight": 0.3}, True),
            ("mddr-avec2014", {"model.align": "pad", "training.epochs": 90}, True),
            ("mddr-avec2014", {"tasks.depression.options.weight": 0.2}, False),
            ("smfl-daicwoz", {"corpus.options.split": "stratified"}, True),
            ("smfl-daicwoz", {"corpus.options.speakers": "both"}, False),
            ("smfl-daicwoz", {"model.cmjat_targets": ("visual", "acoustic")}, True),
            ("smfl-daicwoz", {"model.cmjat_targets": ()}, False),
            ("depformer-ewre", {"model.gate": "hard"}, True),
            ("depformer-ewre", {"training.epochs": 3}, False),
        ],
    )
    def test_what_is_shown(self, name, settings, shown):
        experiment = EXPERIMENTS[name]
        label = labelled(changed(experiment, to=settings))
        assert set(label.changed) == set(settings)
        reasons = published.withheld(to_json(experiment.paper), label.changed)
        assert (not reasons) == shown

    def test_demos_have_no_row(self):
        demos = [each for name, each in EXPERIMENTS.items() if "demo" in name]
        assert len(demos) > 5
        assert all(each.paper is None for each in demos)

    def test_is_stored_but_not_hashed(self):
        other = replace(JAMFN, paper=replace(JAMFN.paper, open=("model.layers",)))
        assert digest_of(other) == digest_of(JAMFN)
        assert from_json(to_json(other)) == other
        older = to_json(JAMFN)
        del older["paper"]["open"]
        assert from_json(older).paper == replace(JAMFN.paper, open=())
