"""Boosted trees whose answer a network sees: scikit-learn's own as the oracle, and who gets which answer."""

import json
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.ensemble._hist_gradient_boosting.predictor import TreePredictor
from threadpoolctl import threadpool_info, threadpool_limits

import treino as tr
from tests.conftest import refusal_of
from treino.data import load
from treino.data.documents import PreparationDocument
from treino.data.preparation import fit, trees
from treino.data.preparation.preparation import Preparation
from treino.data.preparation.target_means import FOLDS, TargetFolds
from treino.data.preparation.trees import (
    BINS,
    DEPTH,
    LEAVES,
    PARTS,
    RATE,
    TreeRows,
    fit_trees,
    tree_answers,
    tree_rows,
    tree_tables,
)
from treino.engine.defaults import plain_of
from treino.engine.ensemble import answering_members, best_half
from treino.engine.gates import gates_of
from treino.engine.losses import Loss
from treino.engine.training_state import RUNNING
from treino.inspection.boundary import _rows_at, typical_row
from treino.reports.export.formats import exported
from treino.settings.spec import read_settings


def table(rows: int = 1600) -> pd.DataFrame:
    """Minutes cost only those who have no plan."""
    r = np.random.default_rng(2)
    minutes, plan = r.uniform(0, 60, rows), r.choice(["no", "yes"], rows)
    minutes[::9] = np.nan
    dear = (np.nan_to_num(minutes) > 40) & (plan == "no")
    y = dear * 3.0 + r.normal(size=rows) / 4
    return pd.DataFrame({"minutes": minutes, "plan": plan, "age": r.integers(18, 80, rows), "y": y})


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return table()


def rows_of(y: np.ndarray, classes: int, weight: np.ndarray | None = None, rows: int = 1600):
    """The rows of a target of these numbers ``[N, K]``, as trees are fitted on them."""
    raw = np.random.default_rng(0).normal(size=(rows, 5)).round(3)
    (own,) = tree_rows(
        raw, np.arange(rows), range(5), TargetFolds(y(raw), np.arange(rows) % FOLDS, weight), [classes]
    )
    return raw, own


def steps(raw: np.ndarray) -> np.ndarray:
    return np.where((raw[:, 0] > 0.2) == (raw[:, 4] > 0), 1.0, -1.0) + raw[:, 1] / 5


def three(raw: np.ndarray) -> np.ndarray:
    return np.eye(3)[(raw[:, 0] > 0.2).astype(int) + (raw[:, 4] > 0)] - 1 / 3


OF_TARGETS = {
    0: lambda raw: steps(raw)[:, None],
    2: lambda raw: (steps(raw) > 0)[:, None] - 0.5,
    3: three,
}


@pytest.mark.slow
@pytest.mark.parametrize("classes", OF_TARGETS)
def test_the_answer_is_scikit_learns(classes: int) -> None:
    weight = np.random.default_rng(1).integers(1, 4, 1600).astype(float)
    raw, own = rows_of(OF_TARGETS[classes], classes, weight)
    made = fit_trees([own], 20)
    count = len(made) // own.answers
    assert 1 < count <= 20
    kind = HistGradientBoostingClassifier if classes else HistGradientBoostingRegressor
    shape = {
        "learning_rate": RATE,
        "max_leaf_nodes": LEAVES,
        "max_depth": DEPTH,
        "max_bins": BINS,
        "random_state": 0,
    }

    def oracle(some: np.ndarray) -> np.ndarray:
        model = kind(max_iter=count, early_stopping=False, **shape)
        model.fit(raw[some], own.y_R[some], sample_weight=weight[some])
        return (model.decision_function if classes else model.predict)(raw).reshape(len(raw), -1)

    answer = tree_answers(raw, tree_tables([tree.parts for tree in made]), own.answers)
    np.testing.assert_allclose(answer, oracle(np.full(len(raw), True)), rtol=1e-3, atol=1e-3)
    held = own.held_out(count)
    np.testing.assert_array_equal(held, rows_of(OF_TARGETS[classes], classes, weight)[1].held_out(count))
    for part in range(PARTS):
        here = np.arange(len(raw)) % FOLDS * PARTS // FOLDS == part
        np.testing.assert_allclose(held[here], oracle(~here)[here], atol=1e-5)


def test_there_are_none_where_other_rows_are_not_predicted() -> None:
    r = np.random.default_rng(3)
    for target in (lambda raw: r.normal(size=(len(raw), 1)), lambda raw: np.zeros((len(raw), 1))):
        assert not fit_trees([rows_of(target, 0)[1]], 20)
    raw, own = rows_of(OF_TARGETS[0], 0)
    assert not fit_trees(
        tree_rows(raw, np.arange(1600), [], TargetFolds(steps(raw)[:, None], np.arange(1600) % FOLDS), [0]),
        20,
    )
    assert not fit_trees([own.at(np.arange(1600) < 900)], 20)  # too few rows to tell
    assert not fit_trees([own.at(own.part_R == 1)], 20)  # one group


@pytest.mark.slow
def test_larger_trees_follow_where_small_ones_still_help(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trees, "SMALL", 100)
    raw, own = rows_of(lambda raw: np.sin(9 * raw[:, :1]) * raw[:, 1:2], 0)
    made = fit_trees([own], 150)
    leaves = [sum(right == place for place, right in enumerate(tree.rights)) for tree in made]
    assert len(leaves) > 100
    assert max(leaves[:100]) <= LEAVES < max(leaves[100:])
    small = HistGradientBoostingRegressor(
        learning_rate=RATE, max_leaf_nodes=LEAVES, max_depth=DEPTH, max_bins=BINS, max_iter=100,
        early_stopping=False, random_state=0, warm_start=True,
    ).fit(raw, own.y_R)  # fmt: skip
    larger = small.set_params(max_iter=len(made), **trees.LARGER).fit(raw, own.y_R)
    answer = tree_answers(raw, tree_tables([tree.parts for tree in made]), 1)[:, 0]
    np.testing.assert_allclose(answer, larger.predict(raw), rtol=1e-3, atol=1e-3)
    noise = np.random.default_rng(6).normal(size=1600)
    assert 0 < len(fit_trees([rows_of(lambda raw: (steps(raw) + noise)[:, None], 0)[1]], 150)) <= 100


def test_answers_follow_the_columns_and_every_change_of_them(frame: pd.DataFrame) -> None:
    data = load(frame, target="y", inputs="bins", bins=4, trees=30)
    plain = load(frame, target="y", inputs="bins", bins=4)
    prep = data.preparation
    assert data.inputs == plain.inputs + 1 == len(prep.inputs) == len(prep.input_columns)
    assert torch.equal(data.train.x[:, :-1], plain.train.x)
    assert prep.input_columns[-1] == 3
    assert prep.input_bins[-1]
    assert abs(float(data.train.x[:, -1].mean())) < 1e-5
    other = data.test.x.clone()
    other[:, list(prep.groups[0])] = data.test.x[torch.arange(len(other)).roll(1)][:, list(prep.groups[0])]
    moved = prep.with_answers(other)
    assert torch.equal(moved[:, :-1], other[:, :-1])
    assert not torch.equal(moved, other)
    torch.testing.assert_close(prep.with_answers(data.test.x), data.test.x)
    assert not torch.allclose(prep.with_answers(data.train.x), data.train.x)  # those of other rows' trees
    assert plain.preparation.with_answers(other) is other
    x = _rows_at(data, typical_row(data), [0], np.array([[10.0], [55.0]]))
    torch.testing.assert_close(prep.with_answers(x), x)


def test_a_training_rows_own_target_is_not_in_its_answer(frame: pd.DataFrame) -> None:
    """Noise has no answer worth anything: trees that had seen the rows themselves would know it by heart."""
    noise = frame.assign(noise=np.random.default_rng(5).normal(size=len(frame)), y=frame.y * 2)
    data = load(noise, target="noise", features=["minutes", "age", "y"], trees=30)
    both = load(noise, target="y", features=["minutes", "plan", "age"], trees=30)
    assert not data.preparation.trees
    near = [np.corrcoef(rows.x[:, -1], rows.y[:, 0])[0, 1] for rows in (both.train, both.test)]
    assert abs(near[0] - near[1]) < 0.05 < near[1]


def test_half_of_those_that_answer_see_them_unless_one_kind_is_far_behind() -> None:
    seen = [0.10, 0.11, 0.12, 0.13]
    kinds = [False] * 4 + [True] * 4
    assert best_half([*seen, 0.115, 0.14, 0.2, 0.3], kinds, 8) == [0, 1, 4, 5]
    assert best_half([*seen, 0.09, 0.095, 0.096, 0.097], kinds, 8) == [4, 5, 0, 1]
    assert best_half([*seen, 0.121, 0.14, 0.2, 0.3], kinds, 8) == [0, 1, 2, 3]  # a fifth more
    assert best_half([*seen, 0.115, 0.14, 0.2, 0.3], [False] * 8, 8) == [0, 1, 4, 2]
    assert best_half([0.11, 0.1, 0.3], [True, False, True], 3) == [1, 0]
    assert best_half([0.2, 0.1, 0.3], [True, False, True], 3) == [1]
    settings = read_settings({"ensemble": 8, "gates": 6, "plain_members": 2})
    assert plain_of(settings) == [2, 0, 1, 0, 2, 0, 1, 0]
    assert plain_of(read_settings({"ensemble": 1, "gates": 6})) == [0]
    gates = gates_of(5, (0, 0, 1, 2, 2), (False, True, False, True, True), 6.0)
    assert [gates.closed(plain) for plain in (0, 1, 2)] == [[], [3], [1, 3]]


@pytest.mark.parametrize(("loss", "answering"), [("mse", [0, 1]), ("l1", [0, 2])])
def test_one_kind_is_far_behind_by_a_fifth_of_the_targets_unit(loss: str, answering: list[int]) -> None:
    """A mean squared error that is larger by a third is a root larger by 15 %."""
    best = SimpleNamespace(metric_P=torch.tensor([0.3, 0.4, 0.35, 0.5]), step_P=torch.ones(4))
    state: Any = SimpleNamespace(
        population=range(4), status_P=torch.full((4,), RUNNING), best=best, stop_step_P=torch.zeros(4)
    )
    model: Any = SimpleNamespace(treeless=(False, True, False, True), loss=Loss(loss))
    assert answering_members(model, state, read_settings({"ensemble": 4, "metric": "loss"})) == answering


@pytest.mark.slow
def test_they_are_the_same_for_rows_on_disk_and_go_through_json(tmp_path) -> None:
    frame = table(6000)
    frame.to_csv(tmp_path / "t.csv", index=False)
    held = load(tmp_path / "t.csv", target="y", trees=40)
    far = load(tmp_path / "t.csv", target="y", trees=40, max_memory="2MB")
    assert far.preparation == held.preparation
    assert torch.equal(far.train.x.index_select(0, torch.arange(len(held.train))), held.train.x)
    written = held.preparation.to_json()
    assert Preparation.from_document(PreparationDocument.model_validate(written)) == held.preparation
    assert "trees" not in load(tmp_path / "t.csv", target="y").preparation.to_json()
    tree, rest = written["trees"][0], written["trees"][1:]
    around = [0] * len(tree["rights"])
    for change in ({"columns": [0]}, {"numbers": ["a"]}, {"rights": around}, {"rights": [9**9, *around[1:]]}):
        with pytest.raises(ValueError, match="validation error"):
            PreparationDocument.model_validate(written | {"trees": [tree | change, *rest]})
    for change in ({"columns": [10_000] * len(tree["columns"])}, {"answer": 1}):
        broken = PreparationDocument.model_validate(written | {"trees": [tree | change, *rest]})
        assert refusal_of(Preparation.from_document, broken).rule == "preparation_damaged"


@pytest.mark.release
def test_threads_change_no_bit() -> None:
    """scikit-learn adds up by threads of its own."""
    program = (
        "from tests.data.test_trees import table\n"
        "from treino.data import load\n"
        "data = load(table(3000), target='y', trees=40)\n"
        "import hashlib, json\n"
        "print(hashlib.sha256(json.dumps(data.preparation.to_json()).encode()).hexdigest())\n"
        "print(hashlib.sha256(data.train.x.numpy().tobytes()).hexdigest())\n"
    )
    said = []
    for threads in ("1", "2", "3"):
        ran = subprocess.run(
            [sys.executable, "-c", f"import os; os.environ['OMP_NUM_THREADS'] = '{threads}'\n{program}"],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        said.append(ran.stdout)
    assert said[0] == said[1] == said[2]


def test_no_rows_are_fitted_twice_and_few_cells_by_one_thread(
    frame: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    fitted, grown = [], TreeRows.grown

    def watched(self: TreeRows, model: Any, count: int) -> Any:
        threads = {each["num_threads"] for each in threadpool_info() if each["user_api"] == "openmp"}
        fitted.append((hash(self.y_R.tobytes()), threads))
        return grown(self, model, count)

    monkeypatch.setattr(TreeRows, "grown", watched)
    with threadpool_limits(2, "openmp"):
        one = load(frame, target="y", trees=5)
        monkeypatch.setattr(trees, "FEW_CELLS", 0)
        two = load(frame, target="y", trees=5)
    assert len({rows for rows, _threads in fitted}) == PARTS + 1 == len(fitted) / 2
    assert [threads for _rows, threads in fitted] == [{1}] * (PARTS + 1) + [{2}] * (PARTS + 1)
    assert torch.equal(one.train.x, two.train.x)
    assert one.preparation == two.preparation


@pytest.mark.slow
def test_they_are_fitted_once_where_bins_make_too_many_inputs(
    frame: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, fitted = load(frame, target="y", trees=20), []
    monkeypatch.setattr(fit, "fit_trees", lambda *given: fitted.append(given) or fit_trees(*given))
    data = load(frame, target="y", trees=20, inputs="bins", bins=32, most_inputs=40)
    assert len(fitted) == 1
    assert data.preparation.trees == plain.preparation.trees
    assert torch.equal(data.train.x, plain.train.x)


@pytest.mark.release
@pytest.mark.parametrize("target", ["y", "kind", "kind,plan"])
def test_a_run_sees_them_and_takes_them_elsewhere(target: str, tmp_path) -> None:
    frame = table(2400)
    frame["kind"] = pd.cut(frame.y, [-9, 0, 1, 9], labels=["low", "middle", "high"]).astype(str)
    if target != "y":
        frame = frame.drop(columns="y")
    names = target.split(",")
    frame.drop(columns=[] if "kind" in names else ["kind"]).to_csv(tmp_path / "t.csv", index=False)
    run = tr.fit(
        tmp_path / "t.csv", target=names, recipe="table", trees=30, ensemble=4, epochs=3, parent=tmp_path
    )
    assert run.settings["trees"] == 30
    assert run.preparation.answers == {"y": 1, "kind": 3, "kind,plan": 4}[target]
    closed = [bool((member[0].weight[:, -1] == 0).all()) for member in tr.open(run.path).module.members]
    assert closed == [number % 2 == 0 for number in run.answering]
    new = table(30).drop(columns="y")
    new = new.drop(columns=[c for c in names if c in new])
    wanted = run.predict(new)
    pd.testing.assert_frame_equal(tr.open(run.path).predict(new), wanted)
    script = exported(run, "script").paths[0]
    trained = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True).stdout
    losses = json.loads(trained.splitlines()[-1])["losses"]
    np.testing.assert_allclose(losses, run.document["loss"]["train"], rtol=1e-5)


@pytest.mark.parametrize("classes", OF_TARGETS)
def test_each_tree_answers_once_where_their_number_is_found(
    classes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After several looks; and the answers are those of as many trees, fitted at once."""
    drawn = np.random.default_rng(1).normal(size=1600) / 2
    _raw, own = rows_of(
        lambda raw: OF_TARGETS[classes](raw) if classes else (steps(raw) + drawn)[:, None], classes
    )
    monkeypatch.setattr(trees, "AT_ONCE", 4)
    monkeypatch.setattr(trees, "RATE", 0.3)
    answered, predict = list[TreePredictor](), TreePredictor.predict

    def kept(tree: Any, x: np.ndarray, **more: Any) -> np.ndarray:
        answered.append(tree)
        return predict(tree, x, **more)

    monkeypatch.setattr(TreePredictor, "predict", kept)
    count = own.count(60)
    assert count > 8
    assert len(answered) == len(set(map(id, answered))) >= (count + 4) * own.answers
    _own_R, first, others = next(own.parts())
    model = others.model(count)
    output = model.decision_function(first.raw_RD) if classes else model.predict(first.raw_RD)
    np.testing.assert_array_equal(own.first_answers[count], output.reshape(len(output), -1))


def test_inputs_that_no_tree_can_split_take_no_time_and_change_nothing() -> None:
    raw, own = rows_of(OF_TARGETS[0], 0)
    rare = np.zeros((1600, 3))
    rare[:19, 0], rare[-20:, 1], rare[:, 2] = 1, 1, 5
    folds = TargetFolds(steps(raw)[:, None], np.arange(1600) % FOLDS)
    (wide,) = tree_rows(np.hstack([rare, raw]), np.arange(1600), range(8), folds, [0])
    assert wide.place_D.tolist() == [1, 3, 4, 5, 6, 7]
    kept, plain = fit_trees([wide], 20), fit_trees([own], 20)
    assert [tree.numbers for tree in kept] == [tree.numbers for tree in plain]
