"""``treino sweep`` on the command line: output, refusals, and resuming after a stop."""

import signal
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import stopped
from tests.conftest import Treino

QUICK = ("--fresh", 0, "--epochs", 10, "--members", 6)


def test_a_sweep_says_what_it_found(treino: Treino) -> None:
    said = treino("sweep", "iris", "--space", "lr=1e-3|1e-2", "--fresh", 2, "--epochs", 10, "--members", 6)
    assert said.status == 0
    assert "2 networks on iris" in said.out
    assert "The space holds 2 different settings; 6 networks were asked for." in said.out
    assert "2 finished, 0 stopped" in said.out
    assert "has the same bits" in said.out
    assert said.out.count("equal rows are never parted") == 1
    listed = treino("show", "last", "--json")
    assert listed.document["judge"]["certificate"]["same_bits"]
    assert [r["kind"] for r in treino("runs", "--json").document["runs"]] == ["sweep"]


def test_a_sweep_tries_a_setting_and_none_of_it(treino: Treino) -> None:
    said = treino("sweep", "iris", "--space", "clip=none|0.5", "--epochs", 2, "--fresh", 0, "--json")
    assert said.status == 0
    assert [leader["params"]["clip"] for leader in said.document["leaderboard"]] == [0.5, "none"]


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        (("--space", "lr=0.1|-1"), "lr_range"),
        (("--space", "lr=0.1..1", "--sampler", "grid"), "space_levels"),
        (("--space", "nesterov=true|false"), "momentum_with_adam"),
        (("--space", "warmup=1|100", "--steps", 10), "warmup_range"),
    ],
)
def test_what_a_space_alone_refuses_is_refused_before_the_data_is_read(
    treino: Treino, words: tuple[Any, ...], rule: str
) -> None:
    said = treino("sweep", "nowhere.csv", "--target", "y", *words, "--json")
    assert (said.status, said.document["error"]["rule"]) == (2, rule)


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        (("--space", "data_seed=1|2"), "space_data_seed"),
        (("--space", "warmup=1|600", "--epochs", 1), "warmup_range"),
        (("--space", "lr=0.1|1", "--until", "loss=nan"), "until_range"),
        (("--space", "lr=0.1|1", "--max-time", "nan"), "max_time_range"),
        (("--space", "nowhere.toml"), "space_file"),
        ((), "space_empty"),
    ],
)
def test_bad_spaces_are_refused(treino: Treino, words: tuple[str, ...], rule: str) -> None:
    said = treino("sweep", "iris", *words, "--json")
    assert said.status == 2
    assert said.document["error"]["rule"] == rule
    assert "Traceback" not in said.err
    assert not Path("runs").exists()


def test_a_space_of_columns_that_part_the_rows_otherwise_is_refused(treino: Treino) -> None:
    rows = "".join(f"{i // 2},{i / 7:.3f},{'ab'[i // 2 % 2]}\n" for i in range(60))
    Path("t.csv").write_text("few,many,y\n" + rows)
    words = ("sweep", "t.csv", "--target", "y", "--space", "features=few,many|few", *QUICK, "--json")
    assert treino(*words).document["error"]["rule"] == "features_split"
    assert treino(*words, "--duplicates", "ignore").status == 0


def test_patience_is_an_end_and_no_cut(treino: Treino) -> None:
    words = "iris --space lr=0.05|0.1 --strategy none --patience 3 --epochs 400 --fresh 0 --json"
    d = treino("sweep", *words.split()).document
    assert d["finished"] == 2
    assert d["leaderboard"][0]["epochs"] < 400
    assert d["judge"]["certificate"]["same_bits"]
    assert treino("show", "last", "--json").document["best"]["params"] == d["best"]["params"]


@pytest.mark.slow
def test_the_figures_of_a_leader_are_those_of_the_weights_that_are_kept(treino: Treino) -> None:
    """By accuracy many looks are equally good, and only the first of them is kept."""
    words = "iris --space lr=0.03|0.1 --metric accuracy --strategy none --epochs 60 --fresh 0 --json"
    for keep in ("best", "last"):
        d = treino("sweep", *words.split(), "--keep", keep).document
        leader = d["leaderboard"][0]["validation"]
        assert leader == pytest.approx({k: d["best"]["validation"][k] for k in leader}, rel=1e-5), keep


@pytest.mark.parametrize(
    "stop",
    [
        pytest.param(signal.SIGINT, marks=pytest.mark.proof),
        pytest.param(signal.SIGKILL, marks=pytest.mark.release),
    ],
)
def test_a_sweep_that_is_stopped_goes_on(treino: Treino, stop: signal.Signals) -> None:
    space = "--space", "lr=1e-3..1e-1:log", "--space", "hidden=32|16,16", "--members", "16", "--fresh", "0"
    words = *space, "--epochs", "27", "--patience", "0", "--batch-size", "full", "--out", "s"
    ended = stopped(stop, "sweep", "moons", *words)
    if stop == signal.SIGINT:
        assert ended.returncode == 130, ended.stderr
        assert "treino resume" in ended.stderr
        Path("new.csv").write_text("x1,x2\n0.5,0.5\n")
        assert treino("predict", "./s", "new.csv", "--json").document["rows"] == 1  # the best so far
    assert treino("show", "./s", "--json").document["status"] == "interrupted"
    d = treino("resume", "./s", "--json").document
    assert d["status"] == "finished"
    assert d["members"] == 16 == d["finished"] + d["stopped"] + d["diverged"]
    assert d["judge"]["certificate"]["same_bits"]
    assert treino("resume", "./s").status == 2


@pytest.mark.release
def test_optunas_trials_in_a_storage_are_gone_on_with(treino: Treino) -> None:
    optuna = pytest.importorskip("optuna", reason="needs optuna")
    from tests.many_networks import sweep_events
    from treino.training.loop import JobProgress

    asked = {
        "members": 40,
        "fresh": 0,
        "sampler": "tpe",
        "storage": "sqlite:///o.db",
        "settings": {"epochs": 5},
    }
    events = sweep_events("iris", ["lr=1e-3..1e-1:log", "hidden=8|16,8"], out="s", **asked)
    seen = 0
    for event in events:
        seen += isinstance(event, JobProgress)
        if seen == 2:
            break
    events.close()
    refused = treino("resume", "./s", "--json").document["error"]
    assert refused["rule"] == "storage_wanted"
    assert refused["hint"].endswith("--storage sqlite:///o.db")
    d = treino("resume", "./s", "--storage", "sqlite:///o.db", "--json").document
    assert d["members"] == 40
    study = optuna.load_study(study_name="iris", storage="sqlite:///o.db")
    states = [t.state.name for t in study.trials]
    assert states.count("COMPLETE") + states.count("FAIL") == 40 == len(states)
