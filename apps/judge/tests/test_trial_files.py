"""Trials read from what the real tools write, compared with what the tools themselves say."""

import json
import math
import os
import pickle
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import optuna
import pandas as pd
import pytest

from treino.base.errors import TreinoError
from treino.folders.store import sqlite
from treino_judge.cells import parsed
from treino_judge.exported_tables import trials_in
from treino_judge.files import read_trials
from treino_judge.table import Request, TrialTable, trial_table


def state_of_folder(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {p.name: (p.read_bytes(), p.stat().st_mtime_ns) for p in sorted(folder.iterdir()) if p.is_file()}


def refused(path: Path | str, study: str | None = None, request: Request | None = None) -> TreinoError:
    with pytest.raises(TreinoError) as caught:
        trial_table(read_trials(str(path), study), request or Request())
    assert caught.value.message.endswith((".", "?"))
    assert caught.value.hint
    return caught.value


# ---- Optuna


def objective(trial: optuna.Trial) -> float:
    x = trial.suggest_float("x", -1, 1)
    kind = trial.suggest_categorical("kind", ["p", None, 3, True])
    trial.suggest_int("depth", 1, 9)
    folds = [-x * x + 0.1 * (kind == "p") + 0.01 * i for i in range(5)]
    trial.set_user_attr("folds", folds)
    if trial.number == 3:
        trial.report(0.5, 0)
        raise optuna.TrialPruned
    if trial.number == 4:
        raise ArithmeticError
    return math.inf if trial.number == 5 else sum(folds) / 5


@pytest.fixture(scope="module")
def studies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two studies in one file; a trial of the first is running, others failed, pruned or infinite."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    path = tmp_path_factory.mktemp("optuna") / "study.db"
    storage = optuna.storages.RDBStorage(f"sqlite:///{path}")
    study = optuna.create_study(
        storage=storage, study_name="one", direction="maximize", sampler=optuna.samplers.RandomSampler(0)
    )
    study.optimize(objective, n_trials=25, catch=(ArithmeticError,))
    study.ask()
    both = optuna.create_study(storage=storage, study_name="two goals", directions=["minimize", "maximize"])
    both.optimize(lambda t: (t.suggest_float("x", 0, 1), t.number), n_trials=2)
    optuna.create_study(storage=storage, study_name="new")
    storage.engine.dispose()
    return path


def told(path: Path, name: str) -> optuna.Study:
    return optuna.load_study(study_name=name, storage=f"sqlite:///{path}")


def test_a_study_is_what_optuna_says_and_stays_as_it_is(studies: Path) -> None:
    before = state_of_folder(studies.parent)
    table = trial_table(read_trials(str(studies), "one"), Request())
    assert state_of_folder(studies.parent) == before
    theirs = told(studies, "one")
    assert len(table.trials) == len(theirs.trials) == 26
    for ours, trial in zip(table.trials, theirs.trials, strict=True):
        assert ours.name == str(trial.number)
        assert dict(ours.settings) == trial.params
        if ours.state == "finished":
            assert ours.score == trial.value
            assert list(ours.scores.values()) == trial.user_attrs["folds"]
            assert ours.seconds == pytest.approx(trial.duration.total_seconds())  # type: ignore[union-attr]
    counts = {"total": 26, "finished": 23, "failed": 1, "running": 1, "pruned": 1, "scored": 22}
    assert table.counts == counts
    assert (table.better, table.unit, table.folds, table.metric) == (1, "fold", 5, "value")
    assert any("still running" in note for note in table.notes)
    assert any("infinite" in note for note in table.notes)
    best = max(table.scored, key=lambda trial: trial.score)
    complete = theirs.get_trials(states=(optuna.trial.TrialState.COMPLETE,))
    finite = [t for t in complete if t.value is not None and math.isfinite(t.value)]
    assert best.name == str(max(finite, key=lambda t: t.value or 0).number)


def test_a_study_and_its_table_are_the_same_trials(studies: Path, tmp_path: Path) -> None:
    told(studies, "one").trials_dataframe().to_csv(tmp_path / "t.csv")
    ours = trial_table(read_trials(str(studies), "one"), Request())
    theirs = trial_table(read_trials(str(tmp_path / "t.csv")), Request(better=1))
    assert [(t.name, t.state) for t in theirs.trials] == [(t.name, t.state) for t in ours.trials]
    assert [t.score for t in theirs.scored] == pytest.approx([t.score for t in ours.scored])
    assert theirs.unit == ours.unit
    assert refused(tmp_path / "t.csv").rule == "direction_missing"


def test_which_study_is_asked_and_several_goals_are_refused(studies: Path) -> None:
    missing = refused(studies)
    assert missing.rule == "study_missing"
    assert "one, two goals, new" in missing.hint
    assert refused(studies, "on").rule == "study_unknown"
    several = refused(studies, "two goals")
    assert several.rule == "several_objectives"
    assert "minimize or maximize" in several.hint
    assert refused(studies, "new").rule == "trials_none"


@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
def test_a_metric_s_name_and_direction_are_the_study_s(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    study = optuna.create_study(storage=f"sqlite:///{path}", direction="minimize")
    study.set_metric_names(["log loss"])
    study.optimize(lambda t: t.suggest_float("x", 0, 1), n_trials=3)
    table = trial_table(read_trials(str(path)), Request())
    assert (table.metric, table.better) == ("log loss", -1)
    assert refused(path, request=Request(better=1)).rule == "direction_differs"


def test_a_study_in_write_ahead_log_mode_is_read_with_its_log_and_left_alone(
    studies: Path, tmp_path: Path
) -> None:
    path = tmp_path / "wal.db"
    path.write_bytes(studies.read_bytes())
    with closing(sqlite3.connect(path)) as writer:
        writer.execute("PRAGMA journal_mode = WAL")
        writer.execute("PRAGMA wal_autocheckpoint = 0")
        writer.execute("UPDATE trial_values SET value = 77 WHERE trial_id = 1")
        writer.commit()
        before = state_of_folder(tmp_path)
        assert "wal.db-wal" in before
        table = trial_table(read_trials(str(path), "one"), Request())
        assert state_of_folder(tmp_path) == before
    assert table.trials[0].score == 77


def test_a_killed_writer_s_half_transaction_is_taken_back_in_a_copy(studies: Path, tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    path.write_bytes(studies.read_bytes())
    program = (
        "import os, sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('PRAGMA cache_size = 1');"
        "c.execute('UPDATE trial_user_attributes SET value_json = zeroblob(9000)');"
        "c.execute('UPDATE trial_values SET value = 77');"
        "os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", program, str(path)], check=False)
    before = state_of_folder(tmp_path)
    assert before["s.db-journal"][0]
    table = trial_table(read_trials(str(path), "one"), Request())
    assert table.trials[0].score == told(studies, "one").trials[0].value
    assert state_of_folder(tmp_path) == before


def test_a_locked_study_says_so(studies: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "PATIENCE", 0.05)
    path = tmp_path / "s.db"
    path.write_bytes(studies.read_bytes())
    with closing(sqlite3.connect(path)) as writer:
        writer.execute("BEGIN EXCLUSIVE")
        error = refused(path, "one")
    assert (error.rule, error.status) == ("trials_locked", 1)


@pytest.mark.parametrize("cut", [100, 4096, 30_000])
def test_a_damaged_file_says_so(studies: Path, tmp_path: Path, cut: int) -> None:
    path = tmp_path / "s.db"
    path.write_bytes(studies.read_bytes()[:cut])
    assert refused(path, "one").rule == "trials_damaged"


def test_other_databases_and_old_studies_are_told_apart(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "other.db")) as connection:
        connection.execute("CREATE TABLE t (a)")
        connection.commit()
    with closing(sqlite3.connect(tmp_path / "old.db")) as connection:
        for name in ("studies", "trials", "trial_params"):
            connection.execute(f"CREATE TABLE {name} (a)")
        connection.commit()
    assert refused(tmp_path / "other.db").rule == "trials_unknown"
    assert refused(tmp_path / "old.db").rule == "trials_old"


# ---- MLflow


@pytest.fixture
def tracked(tmp_path: Path) -> Path:
    """The same runs in a folder, in a SQLite file and as a table; a parent run, one failed, one running."""
    mlflow = pytest.importorskip("mlflow", reason="needs mlflow: pip install 'treino[mlflow]'")
    folder = tmp_path
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
        for address in (f"file://{folder}/mlruns", f"sqlite:///{folder}/m.db"):
            client = mlflow.MlflowClient(address)
            other = client.create_experiment("other")
            client.create_run(other)
            number = client.create_experiment("mine")
            parent = client.create_run(number, start_time=1).info.run_id
            client.set_terminated(parent, end_time=1)
            for i in range(24):
                tags = {"mlflow.parentRunId": parent}
                run = client.create_run(number, start_time=1_000 * i + 5, run_name=f"r{i}", tags=tags)
                key = run.info.run_id
                for name, value in {"lr": 0.1 * (i // 3), "seed": i % 3, "net/kind": "cnn"}.items():
                    client.log_param(key, name, value)
                for step in range(3):
                    client.log_metric(key, "val/acc", step + i / 100, step=step, timestamp=step)
                client.log_metric(key, "loss", float("nan") if i == 2 else 1.0)
                if i != 23:
                    status = "FAILED" if i == 22 else "FINISHED"
                    client.set_terminated(key, status=status, end_time=1_000 * i + 505)
            if "sqlite" in address:
                mlflow.set_tracking_uri(address)
                mlflow.search_runs(experiment_names=["mine"]).to_csv(folder / "m.csv")
    return folder


@pytest.mark.release
@pytest.mark.filterwarnings("ignore")
def test_a_folder_a_database_and_a_table_of_mlflow_are_the_same_trials(tracked: Path) -> None:
    before = state_of_folder(tracked)
    tables: list[TrialTable] = []
    for name, study in (("mlruns", "mine"), ("m.db", "mine"), ("m.csv", None)):
        request = Request(score="val/acc", seed="seed")
        tables.append(trial_table(read_trials(str(tracked / name), study), request))
    for table in tables:
        assert (table.unit, table.better, len(table.trials)) == ("seed", 1, 8)
        assert [trial.name for trial in table.trials] == [f"r{i}" for i in range(0, 24, 3)]
        assert list(table.trials[1].scores.values()) == [2.03, 2.04, 2.05]
        assert table.trials[1].settings == {"lr": 0.1, "net/kind": "cnn"}
        assert table.trials[1].seconds == pytest.approx(1.5)
        assert any("parents" in note for note in table.notes)
        assert len(table.trials[-1].scores) == 1
    assert state_of_folder(tracked) == before
    assert refused(tracked / "mlruns").rule == "study_missing"
    assert refused(tracked / "m.db", "mine").rule == "score_missing"


# ---- Ray Tune

RAY = """
import ray, sys
from ray import tune
ray.init(num_cpus=2, include_dashboard=False, logging_level="ERROR", log_to_driver=False)
def train(config):
    for step in range(3):
        if config["lr"] == 4: raise ArithmeticError
        tune.report({"acc": config["lr"] * 0.1 + 0.001 * config["seed"] + step, "loss": 1.0})
space = {"lr": tune.grid_search([1, 2, 3, 4]), "seed": tune.grid_search([0, 1]), "net": {"h": 8}}
where = tune.RunConfig(storage_path=sys.argv[1], name="e", verbose=0)
how = tune.TuneConfig(metric="acc", mode="max")
grid = tune.Tuner(train, param_space=space, tune_config=how, run_config=where)
grid = grid.fit()
grid.get_dataframe().to_csv(sys.argv[1] + "/e.csv")
"""


@pytest.mark.release
def test_an_experiment_of_ray_tune(tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="needs ray: pip install 'ray[tune]'")
    (tmp_path / "tune.py").write_text(RAY)
    own = os.environ | {"RAY_ADDRESS": "local", "RAY_USAGE_STATS_ENABLED": "0"}
    command = [sys.executable, "tune.py", str(tmp_path)]
    for _try in range(3):  # Ray gives up a start that takes half a minute, as on a busy machine
        done = subprocess.run(command, cwd=tmp_path, env=own, capture_output=True, text=True)
        if (tmp_path / "e").is_dir():
            break
    if "timed out during startup" in done.stderr:
        pytest.skip("needs ray to start: the machine is busy")
    assert (tmp_path / "e").is_dir(), done.stderr[-2000:]
    table = trial_table(read_trials(str(tmp_path / "e")), Request())
    assert (table.source, table.metric, table.unit, table.better) == ("ray", "acc", "seed", 1)
    by_rate = {trial.settings["lr"]: trial for trial in table.trials}
    assert [sorted(by_rate[lr].scores.values()) for lr in (1, 2)] == [[2.1, 2.101], [2.2, 2.201]]
    assert by_rate[1].settings == {"lr": 1, "net.h": 8}
    assert by_rate[4].state == "failed"
    if (tmp_path / "e.csv").exists():
        file = read_trials(str(tmp_path / "e.csv"))
        assert file.source == "ray"
        assert {record.settings.get("lr") for record in file.records} >= {1, 2, 3}


# ---- scikit-learn


@pytest.fixture(scope="module")
def search() -> Any:
    from sklearn.datasets import load_iris
    from sklearn.model_selection import GridSearchCV
    from sklearn.tree import DecisionTreeClassifier

    grid = {"max_depth": [1, 2, None], "criterion": ["gini", "entropy"]}
    x, y = load_iris(return_X_y=True)
    return GridSearchCV(DecisionTreeClassifier(random_state=0), grid, cv=4).fit(x, y)


@pytest.mark.parametrize("form", ["csv", "csv without index", "json", "records", "lists"])
def test_results_of_scikit_learn(search: Any, tmp_path: Path, form: str) -> None:
    frame, path = pd.DataFrame(search.cv_results_), tmp_path / f"r.{form[:4].strip()}"
    if form.startswith("csv"):
        frame.to_csv(path, index=form == "csv")
    elif form == "lists":
        path.write_text(
            json.dumps({n: getattr(v, "tolist", lambda v=v: v)() for n, v in search.cv_results_.items()})
        )
    else:
        frame.to_json(path, orient={"json": "columns"}.get(form, form))
    table = trial_table(read_trials(str(path)), Request())
    assert (table.source, table.unit, table.folds, table.better) == ("sklearn", "fold", 4, 1)
    assert [t.score for t in table.trials] == pytest.approx(search.cv_results_["mean_test_score"], abs=1e-9)
    for k in range(4):
        ours = [list(t.scores.values())[k] for t in table.trials]
        assert ours == pytest.approx(search.cv_results_[f"split{k}_test_score"], abs=1e-9)
    chosen = [dict(t.settings) for t in table.trials]
    assert chosen[0]["criterion"] == "gini"
    assert chosen[0]["max_depth"] == 1
    assert chosen[2].get("max_depth") is None


def test_several_metrics_of_scikit_learn_are_asked_for() -> None:
    lines = [
        {
            "mean_test_acc": i / 10,
            "mean_test_auc": 0.5,
            "param_a": i,
            "split0_test_acc": i / 10,
            "split1_test_acc": i / 10,
        }
        for i in range(4)
    ]
    file = trials_in(lines, "r")
    with pytest.raises(TreinoError, match="Which column is the score"):
        trial_table(file, Request())
    table = trial_table(file, Request(score="mean_test_acc"))
    assert (table.unit, table.better) == ("fold", 1)


def test_candidates_that_halving_stopped_early_are_pruned() -> None:
    lines = [{"mean_test_score": 0.9, "n_resources": n, "param_a": i} for i, n in enumerate([10, 10, 30, 30])]
    assert [r.state for r in trials_in(lines, "r").records] == ["pruned", "pruned", "finished", "finished"]


# ---- W&B, by the columns of its exports


def test_runs_of_wandb_by_its_api(tmp_path: Path) -> None:
    rows = [
        {
            "summary": {"val_acc": i / 10, "_runtime": 60.5, "curve": [1, 2]},
            "config": {"lr": 0.1 * i, "net": {"h": 4}, "_w": 1},
            "name": f"run-{i}",
            "state": "finished" if i else "crashed",
        }
        for i in range(5)
    ]
    pd.DataFrame(rows).to_csv(tmp_path / "project.csv")
    (tmp_path / "project.json").write_text(json.dumps(rows))
    (tmp_path / "project.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    for name in ("project.csv", "project.json", "project.jsonl"):
        table = trial_table(read_trials(str(tmp_path / name)), Request(score="val_acc"))
        assert (table.source, table.better, table.counts["failed"]) == ("wandb", 1, 1), name
        assert table.trials[2].settings == {"lr": 0.2, "net.h": 4}
        assert table.trials[2].seconds == 60.5
        assert table.trials[2].score == 0.2


def test_the_table_that_wandbs_page_exports(tmp_path: Path) -> None:
    text = (
        '"Name","State","Notes","User","Tags","Created","Runtime","Sweep","lr","seed","val_loss"\n'
        + "".join(
            f'"run-{i}","finished","-","me","","2026-01-{20 - i:02}T10:00:00.000Z","{60 + i}","",'
            f'"{i // 2}","{i % 2}","{i}.5"\n'
            for i in range(12)
        )
    )
    (tmp_path / "w.csv").write_text(text)
    table = trial_table(read_trials(str(tmp_path / "w.csv")), Request(seed="seed", settings=("lr",)))
    assert (table.source, table.metric, table.better, table.unit) == ("wandb", "val_loss", -1, "seed")
    assert [trial.settings["lr"] for trial in table.trials] == [*range(5, -1, -1)]  # the oldest is the last
    assert table.trials[-1].scores == {(1.0,): 1.5, (0.0,): 0.5}


# ---- any table


def test_decimal_commas_and_gaps_in_a_table(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("lr;acc;kind\n0,1;0,5;a\n0,01;0,75;\n1;nan;b\n")
    table = trial_table(read_trials(str(tmp_path / "t.csv")), Request(settings=("lr", "kind")))
    settings = [tuple(trial.settings.values()) for trial in table.trials]
    assert settings == [(0.1, "a"), (0.01, None), (1, "b")]
    assert [t.score for t in table.scored] == [0.5, 0.75]


@pytest.mark.parametrize(
    ("name", "text", "request_", "rule"),
    [
        ("empty.csv", "", Request(), "trials_none"),
        ("head.csv", "acc,lr\n", Request(), "csv_no_rows"),
        ("one.csv", "acc,lr\n0.5,1\n", Request(), "trials_few"),
        ("nan.csv", "acc,lr\nnan,1\ninf,2\n0.5,3\n", Request(), "trials_few"),
        ("which.csv", "acc,loss\n1,2\n3,4\n", Request(), "score_missing"),
        ("none.csv", "a,b\nx,y\nz,w\n", Request(), "score_missing"),
        ("words.csv", "a,acc\nx,1\nz,2\n", Request(score="a"), "score_unknown"),
        ("typo.csv", "acc,b\n1,2\n2,3\n", Request(score="ac"), "score_unknown"),
        ("way.csv", "objective,b\n1,2\n2,3\n", Request(score="objective"), "direction_missing"),
        ("seed.csv", "acc,seed,lr\n1,2,1\n2,3,1\n", Request(seed="seed"), "settings_missing"),
        ("column.csv", "acc,seed\n1,2\n2,3\n", Request(fold="fold"), "column_unknown"),
        ("both.csv", "acc,lr\n1,2\n2,3\n", Request(seed="lr", settings=("acc",)), "column_twice_used"),
        ("same.csv", "acc,s,lr\n1,0,2\n2,0,2\n", Request(seed="s", settings=("lr",)), "scores_twice"),
        ("ragged.csv", "acc,lr\n1,2\n1,2,3\n", Request(), "csv_ragged"),
        ("half.json", '[{"acc": 1}, {"ac', Request(), "json_broken"),
        ("deep.json", "[" * 100_000, Request(), "json_broken"),
        ("value.json", '{"a": 1}', Request(), "trials_unknown"),
        ("bytes.csv", "acc,lr\n\0\0\0", Request(), "csv_binary"),
    ],
)
def test_what_can_not_be_judged_is_refused(
    tmp_path: Path, name: str, text: str, request_: Request, rule: str
) -> None:
    (tmp_path / name).write_text(text)
    assert refused(tmp_path / name, request=request_).rule == rule


def column_of(cell: str, among: str | None) -> str:
    rows = [f"{i},{cell if among is None or i == 3 else among}" for i in range(5)]
    return "\n".join(["lr,reward", *rows])


@pytest.mark.parametrize(
    ("cell", "among", "rule"),
    [
        ("83.2%", "900.0", "score_text"),
        ("0.6 (best)", None, "score_text"),
        ("$3", "900.0", "score_text"),
        ('"1,042"', None, "decimal_open"),
        ('"1 042,5"', "900.0", "decimal_mixed"),
    ],
)
@pytest.mark.parametrize("score", [None, "reward"])
def test_scores_that_are_no_plain_numbers_are_refused_not_left_out(
    tmp_path: Path, cell: str, among: str | None, rule: str, score: str | None
) -> None:
    (tmp_path / "t.csv").write_text(column_of(cell, among))
    error = refused(tmp_path / "t.csv", request=Request(score=score))
    assert error.rule == rule
    assert cell.strip('"') in error.message


@pytest.mark.parametrize(
    ("cell", "among", "number"),
    [('"1,042.0"', "900.0", 1042), ("83.2%", None, 83.2), ('"1 042,5"', None, 1042.5)],
)
def test_scores_are_read_as_the_columns_of_a_training_are(
    tmp_path: Path, cell: str, among: str | None, number: float
) -> None:
    (tmp_path / "t.csv").write_text(column_of(cell, among))
    table = trial_table(read_trials(str(tmp_path / "t.csv")), Request(score="reward"))
    assert table.trials[3].score == number


def test_words_lists_and_unfinished_trials_among_scores_are_no_broken_numbers(tmp_path: Path) -> None:
    rows = ["1,0.5,complete,l1", "2,0.6,complete,l2", '3,"1,042",failed,l1', "4,diverged,complete,l2"]
    (tmp_path / "t.csv").write_text("\n".join(["lr,acc,state,loss", *rows]))
    table = trial_table(read_trials(str(tmp_path / "t.csv")), Request())
    assert [trial.score for trial in table.scored] == [0.5, 0.6]
    assert any(note.startswith("Finished trials without a finite acc") for note in table.notes)
    lines = [{"acc": i, "val_acc": f"[{i}, {i}]"} for i in range(3)]
    assert trial_table(trials_in(lines, "t"), Request()).metric == "acc"


def test_a_column_is_a_likely_score_by_its_name_alone() -> None:
    for name in ("score", "value", "objective", "Metric"):
        lines = [{"lr": i, name: i} for i in range(3)]
        assert trial_table(trials_in(lines, "t"), Request(better=1)).metric == name
    value = [{"value": i, "acc": i} for i in range(3)]
    assert trial_table(trials_in(value, "t"), Request(settings=("value",))).metric == "acc"
    with pytest.raises(TreinoError) as two:
        trial_table(trials_in([{"lr": 1, "score": 2, "val_loss": 3}] * 2, "t"), Request())
    assert "Likely: score, val_loss" in two.value.hint
    with pytest.raises(TreinoError) as none:
        trial_table(trials_in([{"lr": 1, "quality": 2}] * 2, "t"), Request())
    assert "score='NAME'" in none.value.hint
    assert "lr, quality" in none.value.hint


def test_states_of_every_tool_in_a_table_of_one_s_own() -> None:
    words = ["COMPLETE", "FAIL", "PRUNED", "waiting", "Success", "stopped", "preempted"]
    lines = [{"lr": i, "state": word, "acc": i} for i, word in enumerate(words)]
    table = trial_table(trials_in(lines, "t"), Request())
    assert list(table.counts.values()) == [7, 2, 2, 1, 2, 2], table.counts
    other = trial_table(trials_in([*lines, {"lr": 9, "state": "OK", "acc": 0}], "t"), Request())
    assert other.counts["finished"] == 8
    assert any("state isn't used: 'OK'" in note for note in other.notes)


@pytest.mark.parametrize("name", ["epoch", "step", "iteration", "training_iteration"])
def test_rows_of_one_training_are_not_taken_as_repeats(name: str) -> None:
    lines = [{"lr": lr, name: at, "acc": lr + at} for lr in range(3) for at in range(4)]
    mixed = lines[::3] + lines[1::3] + lines[2::3]
    with pytest.raises(TreinoError) as caught:
        trial_table(trials_in(mixed, "t"), Request(settings=("lr",)))
    assert caught.value.rule == "rows_of_steps"
    assert name in caught.value.message
    assert any(
        f"The column {name} isn't used" in n for n in trial_table(trials_in(mixed, "t"), Request()).notes
    )
    assert len(trial_table(trials_in(lines, "t"), Request(settings=("lr", name))).trials) == 12
    last = trial_table(trials_in(lines[3::4], "t"), Request(settings=("lr",)))
    assert [trial.score for trial in last.trials] == [3, 4, 5]


def test_nothing_that_is_read_is_executed(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (tmp_path / "sprung",)

    for name in ("search.pkl", "search.joblib", "search.csv"):
        (tmp_path / name).write_bytes(pickle.dumps(Trap()))
        error = refused(tmp_path / name)
        assert error.rule == "trials_pickle"
        assert "to_csv" in error.hint
    cell = f"[__import__('pathlib').Path({str(tmp_path / 'sprung')!r}).touch()]"
    assert parsed(cell) is None
    pd.DataFrame({"config": [cell] * 2, "summary": ["{'acc': 1.0}", "{'acc': 2.0}"]}).to_csv(
        tmp_path / "w.csv"
    )
    assert [r.figures for r in read_trials(str(tmp_path / "w.csv")).records] == [{"acc": 1.0}, {"acc": 2.0}]
    assert not (tmp_path / "sprung").exists()


def test_a_huge_file_and_what_is_no_file_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("treino_judge.exported_tables.LARGEST", 1 << 20)
    (tmp_path / "big.csv").write_text("acc,lr\n" + "1,2\n" * 300_000)
    assert refused(tmp_path / "big.csv").rule == "trials_large"
    monkeypatch.setattr("treino_judge.table.MOST", 100)
    (tmp_path / "many.csv").write_text("acc,lr\n" + "1,2\n" * 101)
    assert refused(tmp_path / "many.csv").rule == "trials_many"
    os.mkfifo(tmp_path / "pipe")
    assert refused(tmp_path / "pipe").rule == "file_special"
    os.symlink("nowhere", tmp_path / "link")
    assert refused(tmp_path / "link").rule == "trials_missing"
    (tmp_path / "folder").mkdir()
    assert refused(tmp_path / "folder").rule == "trials_unknown"


def test_a_link_to_itself_ends_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "a.csv").symlink_to(tmp_path / "b.csv")
    (tmp_path / "b.csv").symlink_to(tmp_path / "a.csv")
    assert refused(tmp_path / "a.csv").rule == "file_unreadable"
