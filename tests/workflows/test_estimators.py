"""The estimators under scikit-learn's own checks, in its tools, and against the plain training."""

import pickle
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.sparse import csr_matrix
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_diabetes, load_iris
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import estimator_checks_generator
from torch import nn

import treino as tr
from treino.base.errors import TreinoError
from treino.settings.spec import Settings

pytestmark = pytest.mark.usefixtures("bare")

FAST = {"epochs": 30, "hidden": (16,)}


def iris() -> tuple[pd.DataFrame, Any]:
    x, y = load_iris(return_X_y=True, as_frame=True)
    return x, np.array(["setosa", "versicolor", "virginica"])[y]


def _checks() -> list[Any]:
    """Of both kinds; a release tries the regressor with those that the classifier is tried with, too."""
    found = [kind(recipe="plain", epochs=30, lr=0.02) for kind in (tr.Classifier, tr.Regressor)]
    but = {
        "check_sample_weight_equivalence_on_dense_data": "rows are drawn for validation and into batches; "
        "with neither they are equal but for float32's rounding: test_a_weight_counts_as_so_many_equal_rows"
    }
    cases, seen = [], set[str]()
    for kind in found:
        for estimator, check in estimator_checks_generator(kind, expected_failed_checks=but, mark="skip"):
            name = getattr(check, "func", check).__name__
            again = name in seen and kind is not found[0]
            mark = pytest.mark.release if again else pytest.mark.proof
            cases.append(pytest.param(estimator, check, marks=mark, id=f"{type(kind).__name__}-{name}"))
            seen.add(name)
    return cases


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
@pytest.mark.parametrize(("estimator", "check"), _checks())
def test_scikit_learns_own_checks(estimator: Any, check: Any) -> None:
    check(estimator)


def test_the_parameters_are_the_settings_with_their_defaults() -> None:
    fields = Settings.model_fields
    for kind in (tr.Classifier, tr.Regressor):
        given = kind().get_params()
        assert given.pop("random_state") == 0
        assert set(given) <= fields.keys()
        usual = {name: None if field.default == () else field.default for name, field in fields.items()}
        assert all(given[name] == usual[name] for name in given)


def test_it_is_the_training_that_fit_gives() -> None:
    x, y = iris()
    ours = tr.Classifier(**FAST, random_state=3).fit(x.to_numpy(), y)
    codes = np.searchsorted(ours.classes_, y)
    run = tr.fit((x.to_numpy(), codes), **FAST, seed=3, test=0.0, lean=True)
    for a, b in zip(ours.module_.parameters(), run.module.parameters(), strict=True):
        assert a.equal(b)
    assert ours.loss_curve_ == run.document["loss"]["train"]
    assert ours.n_iter_ == 30


@pytest.mark.parametrize("kind", [tr.Classifier, tr.Regressor])
def test_a_weight_counts_as_so_many_equal_rows(kind: type) -> None:
    x, codes = load_iris(return_X_y=True)
    y = codes if kind is tr.Classifier else x[:, 0] * 3 + x[:, 2]
    weight_N = np.random.default_rng(0).integers(0, 4, len(y))
    weight_N[codes == 1] = 0  # a class whose rows all weigh nothing isn't there
    model = kind(**FAST, batch_size="full", validation=0, recipe="plain")
    few = clone(model).fit(x, y, sample_weight=weight_N)
    many = clone(model).fit(x.repeat(weight_N, 0), y.repeat(weight_N))
    answers = [m.predict_proba(x) if kind is tr.Classifier else m.predict(x) for m in (few, many)]
    np.testing.assert_allclose(*answers, rtol=1e-4)
    scored = few.score(x, y, sample_weight=weight_N)
    assert scored == pytest.approx(many.score(x.repeat(weight_N, 0), y.repeat(weight_N)))
    if kind is tr.Classifier:
        assert few.classes_.tolist() == [0, 2]


def test_weights_reach_it_through_scikit_learns_tools() -> None:
    x, y = iris()
    weight_N = np.where(y == "setosa", 1.0, 5.0)
    model = make_pipeline(StandardScaler(), tr.Classifier(**FAST))
    model.fit(x, y, classifier__sample_weight=weight_N)
    assert model[-1].run_.preparation.row_weights == "weights"
    with pytest.raises(ValueError, match="sample_weight holds -1: a weight is 0, or"):
        tr.Classifier().fit(x, y, sample_weight=-weight_N.clip(max=1))
    pictures = np.zeros((9, 1, 8, 8))
    with pytest.raises(ValueError, match="these are pictures"):
        tr.Classifier(net="cnn").fit(pictures, np.arange(9) % 2, sample_weight=np.ones(9))


@pytest.mark.parametrize("net", [None, lambda: nn.Linear(4, 3)])
def test_neither_names_nor_a_pickle_nor_a_generator_matter(net: Any) -> None:
    x, y = iris()
    begin = torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate()
    of_array, of_frame = (tr.Classifier(net=net, epochs=2).fit(some, y) for some in (x.to_numpy(), x))
    if net is None:  # a lambda has no pickle
        of_array = pickle.loads(pickle.dumps(of_array))
    assert len(list(tr.open(of_array.run_.path, net=net and net()).module.parameters()))
    for model, other in ((of_array, x), (of_frame, x.to_numpy())):
        with pytest.warns(UserWarning, match="feature names"):
            np.testing.assert_array_equal(model.predict_proba(other), of_frame.predict_proba(x))
    if net is None:
        assert torch.get_rng_state().equal(begin[0])
    assert (np.random.get_state()[1] == begin[1]).all()


def test_text_in_arrays_is_learnt_as_from_a_frame() -> None:
    r = np.random.default_rng(0)
    x = np.column_stack([r.choice(["a", "b", None], 90), r.normal(size=90)]).astype(object)
    y = np.where(x[:, 0] == "a", 5.0, 0.0)
    model = tr.Regressor(epochs=40).fit(x, y)
    assert model.score(x, y) > 0.8
    with pytest.warns(UserWarning, match=r"no training row had.*1: zebra"):
        model.predict(np.array([["zebra", 0.5]], dtype=object))
    with pytest.raises(ValueError, match="zebra"):
        tr.Regressor(epochs=1).fit(r.normal(size=(40, 2)), r.normal(size=40)).predict([["zebra", 1]])


def test_a_column_that_is_left_out_is_named() -> None:
    r = np.random.default_rng(0)
    x = pd.DataFrame({"meter": np.arange(120.0), "b": r.normal(size=120)})
    with pytest.warns(UserWarning, match=r"number the rows: meter\. To use one: kinds='meter=number'"):
        lost = tr.Regressor(epochs=30).fit(x, x["meter"] * 3)
    kept = tr.Regressor(epochs=30, kinds={"meter": "number"}).fit(x, x["meter"] * 3)
    assert lost.score(x, x["meter"] * 3) < 0.3 < 0.9 < kept.score(x, x["meter"] * 3)


def test_what_it_does_not_take_is_said_in_a_sentence() -> None:
    x, y = iris()
    with pytest.raises(ValueError, match=r"sparse matrix, .* y.toarray"):
        tr.Classifier().fit(x, csr_matrix(np.eye(2)[np.arange(150) % 2]))
    with pytest.raises(ValueError, match=r"no label in 2 of 150 rows, first in row 4"):
        tr.Classifier().fit(x, np.where(np.isin(np.arange(150), [4, 9]), None, y))
    with pytest.raises(TreinoError, match=r"no setting 'warm_start'. Each fit begins anew"):
        tr.Classifier(warm_start=True)
    for net in ({"batch_norm": True}, {"net": lambda: nn.Sequential(nn.BatchNorm1d(4), nn.Linear(4, 3))}):
        with pytest.raises(ValueError, match="Batch norm counts each row of a batch once"):
            tr.Classifier(epochs=1, **net).fit(x, y, sample_weight=np.arange(150) + 1)
        tr.Classifier(epochs=1, batch_size="full", **net).fit(x, y, sample_weight=np.full(150, 3))


def test_classes_come_back_as_they_were_given() -> None:
    x, y = iris()
    for labels in (y, np.searchsorted(np.unique(y), y) * 7 - 3, y == "setosa"):
        model = tr.Classifier(**FAST).fit(x, labels)
        predicted = model.predict(x)
        assert predicted.dtype == np.asarray(labels).dtype
        assert (predicted == labels).mean() > 0.9
        p_NC = model.predict_proba(x)
        np.testing.assert_allclose(p_NC.sum(1), 1, atol=1e-6)
        assert (model.classes_[p_NC.argmax(1)] == predicted).all()
    assert list(model.feature_names_in_) == list(x.columns)


@pytest.mark.release
def test_a_pickle_holds_the_run_and_no_rows_and_works_in_another_process(tmp_path: Path) -> None:
    x, y = iris()
    many, labels = pd.concat([x] * 200, ignore_index=True), np.tile(y, 200)
    model = tr.Classifier(epochs=1, hidden=(16,), validation=0.0).fit(many, labels)
    content = pickle.dumps(model)
    assert len(content) < many.to_numpy().nbytes / 4
    assert str(model.run_.path).encode() not in content
    (tmp_path / "model.pickle").write_bytes(content)
    x.to_pickle(tmp_path / "x.pickle")
    code = (
        "import pickle; m = pickle.load(open('model.pickle', 'rb')); x = pickle.load(open('x.pickle', 'rb'));"
        "import numpy as np; np.save('p.npy', m.predict_proba(x)); print(m.run_.status)"
    )
    said = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert said.stdout.strip() == "finished", said.stderr
    np.testing.assert_array_equal(np.load(tmp_path / "p.npy"), model.predict_proba(x))


def test_the_temporary_folder_goes_with_the_estimator() -> None:
    x, y = iris()
    model = tr.Classifier(**FAST).fit(x, y)
    path = model.run_.path
    assert path.is_dir()
    assert not (path / "pictures").exists()
    del model
    assert not path.exists()


@pytest.mark.slow
def test_it_takes_part_in_scikit_learns_tools() -> None:
    x, y = iris()
    scores = cross_val_score(make_pipeline(StandardScaler(), tr.Classifier(epochs=60)), x, y, cv=2)
    assert scores.mean() > 0.9
    search = GridSearchCV(tr.Classifier(epochs=40), {"lr": [1e-7, 0.01], "hidden": [(16,)]}, cv=2)
    assert search.fit(x, y).best_params_["lr"] == 0.01
    x, values = load_diabetes(return_X_y=True, as_frame=True)
    logged = TransformedTargetRegressor(tr.Regressor(epochs=60), func=np.log, inverse_func=np.exp)
    assert logged.fit(x, values).score(x, values) > 0.3


def test_a_network_of_ones_own_is_cloned_and_trained() -> None:
    x, y = iris()
    net = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 3))
    before = [p.clone() for p in net.parameters()]
    model = clone(tr.Classifier(net=net, epochs=20)).fit(x, y)
    assert all(a.equal(b) for a, b in zip(before, net.parameters(), strict=True))
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict_proba(x), model.predict_proba(x))
    described = tr.Classifier(net=tr.mlp(8, activation="tanh"), epochs=5).fit(x, y)
    assert described.run_.settings["activation"] == "tanh"


@pytest.mark.slow
def test_seeds_follow_scikit_learns_rules() -> None:
    x, y = iris()

    def curve(seed: Any) -> list[float]:
        return list(tr.Classifier(epochs=2, hidden=(4,), random_state=seed).fit(x, y).loss_curve_)

    assert curve(0) == curve(np.int64(0)) != curve(1)
    assert curve(np.random.RandomState(5)) == curve(np.random.RandomState(5))
    assert curve(None) != curve(None)


@pytest.mark.parametrize(
    ("settings", "x", "y", "words"),
    [
        ({"lr": -1}, None, None, "lr must be greater than 0"),
        ({"optimizer": "adamm"}, None, None, "Did you mean 'adam'"),
        ({"loss": "mse"}, None, None, "classification"),
        ({}, None, ["a"] * 150, "one class"),
        ({}, None, [["a", "b"]] * 150, "one class"),
        ({}, None, np.zeros((150, 2, 2)), "dim 3"),
        ({}, np.zeros((150, 0)), None, "0 feature"),
        ({"net": 3}, None, None, "no network"),
    ],
)
def test_what_can_not_be_trained_is_a_value_error(settings: Any, x: Any, y: Any, words: str) -> None:
    whole, labels = iris()
    with pytest.raises(ValueError, match=words):
        tr.Classifier(**settings).fit(whole if x is None else x, labels if y is None else y)
    with pytest.raises(NotFittedError):
        tr.Classifier().predict(whole)


def test_an_estimator_stops_by_the_groups_that_end_latest() -> None:
    r = np.random.default_rng(0)
    who = r.integers(0, 30, 300)
    x = pd.DataFrame(
        {"p": r.normal(size=300), "who": [f"w{w}" for w in who], "when": who * 2 + r.integers(9)}
    )
    model = tr.Regressor(epochs=1, split_group="who", split_time="when").fit(x, x["p"])
    groups, times = [note for note in model.run_.document["notes"] if note.startswith("Split by")]
    held = int(groups.split(",")[1].split()[0])
    latest = x.groupby("who")["when"].max().sort_values().index[-held:]
    of = x["when"][x["who"].isin(latest)]
    assert f"validation from {of.min()} to {of.max()}" in times
    assert 0.1 < x["who"].isin(latest).mean() < 0.2
    assert model.predict(x.assign(who="new")) == pytest.approx(model.predict(x))
