"""All baselines: fitted on training, tuned on validation, and refused where they do not apply."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from baseline_case import data

from jaxdep.errors import UserError
from jaxdep.models import BASELINES, SVM, KNNFusion, LogisticRegression, RandomForest
from jaxdep.settings.checking import check

SMALL = {
    "logistic_regression": LogisticRegression(C=(1e-6, 1.0)),
    "svm": SVM(C=(1e-4, 1.0)),
    "random_forest": RandomForest(trees=25, min_leaf=(2, 60)),
    "knn_fusion": KNNFusion(neighbors=(1, 15)),
}
REGRESSORS = [name for name in SMALL if name != "logistic_regression"]
each = pytest.mark.parametrize("name", SMALL)


def fit(name, scores=False, test_items=120, **options):
    pairs = [data(items, seed, scores=scores) for seed, items in ((1, 120), (2, 60))]
    return SMALL[name].fit_predict(*pairs, data(test_items, 3, scores=scores)[0], **options)


def test_all_are_tested_here():
    assert set(SMALL) == {name for name, kind in BASELINES.items() if hasattr(kind, "fit_predict")}
    for name in SMALL:
        check(BASELINES[name]())


@each
def test_classes_are_learnt(name):
    fitted = fit(name)
    assert (fitted.outputs.argmax(1) == data(120, 3)[1]).mean() > 0.65
    assert fitted.loss < np.log(2)
    np.testing.assert_allclose(np.exp(fitted.outputs).sum(1), 1, rtol=1e-6)


@pytest.mark.parametrize("name", REGRESSORS)
def test_scores_are_learnt(name):
    fitted, target = fit(name, scores=True), data(120, 3, scores=True)[1]
    assert fitted.outputs.shape == (120,)
    assert np.abs(fitted.outputs - target).mean() < 0.9 * np.abs(target - np.median(target)).mean()


@each
def test_the_choice_is_the_lowest_validation_loss(name):
    model, chosen = SMALL[name], fit(name)
    grids = [[(field, value) for value in getattr(model, field)] for field in model.grid]
    alone = []
    for pairs in product(*grids):
        single = replace(model, **{field: (value,) for field, value in pairs})
        alone.append(single.fit_predict(data(120, 1), data(60, 2), data(120, 3)[0]))
    best = min(alone, key=lambda fitted: fitted.loss)
    assert len({fitted.loss for fitted in alone}) > 1
    assert (chosen.loss, chosen.hyper) == (best.loss, best.hyper)
    np.testing.assert_array_equal(chosen.outputs, best.outputs)


@each
def test_test_inputs_do_not_change_the_choice(name):
    inputs, _ = data(40, 9, signal=50.0)
    fitted, usual = SMALL[name].fit_predict(data(120, 1), data(60, 2), inputs), fit(name)
    assert (fitted.hyper, fitted.loss) == (usual.hyper, usual.loss)
    half = {key: value[:7] for key, value in inputs.items()}
    few = SMALL[name].fit_predict(data(120, 1), data(60, 2), half)
    np.testing.assert_allclose(few.outputs, fitted.outputs[:7], rtol=1e-12)


@each
def test_fits_are_repeatable_and_only_a_stochastic_one_depends_on_the_seed(name):
    first = fit(name, seed=3)
    np.testing.assert_array_equal(first.outputs, fit(name, seed=3).outputs)
    same = np.array_equal(first.outputs, fit(name, seed=4).outputs)
    assert same != SMALL[name].stochastic


@each
def test_hyperparameters_are_numbers(name):
    fitted = fit(name)
    assert fitted.hyper
    assert {type(value) for value in [*fitted.hyper.values(), fitted.loss]} == {float}


@each
def test_inputs_outside_the_modalities_are_not_read(name):
    model = replace(SMALL[name], modalities=("text",))
    pairs, (test, _) = [data(120, 1), data(60, 2)], data(20, 3)
    spoiled = [({**inputs, "color": 1e3 * inputs["color"]}, labels) for inputs, labels in pairs]
    without = [(_only_text(inputs), labels) for inputs, labels in pairs]
    expected = model.fit_predict(*pairs, test).outputs
    np.testing.assert_array_equal(model.fit_predict(*spoiled, test).outputs, expected)
    np.testing.assert_array_equal(
        SMALL[name].fit_predict(*without, _only_text(test)).outputs, expected
    )
    assert not np.array_equal(SMALL[name].fit_predict(*pairs, test).outputs, expected)


def _only_text(inputs):
    return {key: value for key, value in inputs.items() if key != "color"}


@each
def test_images_stored_as_bytes(name):
    rng = np.random.default_rng(0)

    def images(items):
        label = np.arange(items) % 3
        faces = rng.integers(0, 100, (items, 4, 6), np.uint8) + 40 * label[:, None, None]
        return {"visual": faces.astype(np.uint8), "visual_mask": np.ones((items, 4), bool)}, label

    test, label = images(30)
    fitted = SMALL[name].fit_predict(images(60), images(60), test)
    assert fitted.outputs.shape == (30, 3)
    assert (fitted.outputs.argmax(1) == label).mean() > 0.8


@each
def test_a_class_that_training_lacks_is_named(name):
    (inputs, label), validation = data(20, 1), data(20, 2)
    with pytest.raises(UserError, match="no recordings of class 1"):
        SMALL[name].fit_predict((inputs, 2 * label), validation, inputs)
    with pytest.raises(UserError, match="no recordings of class 2"):
        SMALL[name].fit_predict((inputs, label), (validation[0], 2 * validation[1]), inputs)


@pytest.mark.parametrize(
    ("kind", "field"),
    [(kind, field) for kind in BASELINES.values() for field in ("functionals", *kind.grid)],
)
def test_empty_candidates_are_refused(kind, field):
    with pytest.raises(UserError, match=rf"{kind.__name__}\.{field} is empty"):
        kind(**{field: ()})


@pytest.mark.parametrize(
    "model",
    [
        SVM(kernel=("poly",)),
        SVM(C=(0.0,)),
        LogisticRegression(C=(-1.0,)),
        LogisticRegression(functionals=("mode",)),
        RandomForest(trees=0),
        RandomForest(min_leaf=(0,)),
        KNNFusion(neighbors=(0,)),
        KNNFusion(modalities=("no such/thing",)),
    ],
)
def test_refused_settings(model):
    with pytest.raises(UserError, match="expected"):
        check(model)
