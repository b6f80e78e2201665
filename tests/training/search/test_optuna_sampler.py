"""Our use of Optuna's sampler against Optuna's own loop."""

from pathlib import Path
from typing import Any

import pytest

from tests.conftest import refusal_of
from treino.base.errors import TreinoError
from treino.data.rows import generator
from treino.training.search.samplers import tpe
from treino.training.search.space import Space, read_space

optuna = pytest.importorskip("optuna")


def space() -> Space:
    return read_space(
        {
            "lr": "1e-4..1e-1:log",
            "hidden": [(16,), (64, 32), ()],
            "batch_size": "8..64:log",
            "optimizer": ["sgd", "adam"],
            "momentum": "0..0.9 if optimizer=sgd",
        },
    )


def figure(config: dict[str, Any]) -> float:
    return abs(config["lr"] - 0.01) + len(config["hidden"]) + config.get("momentum", 0.5)


@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
def test_given_the_same_results_it_asks_for_the_same_next_trials() -> None:
    ours = tpe(space(), seed=4)
    seed = generator(4, "optuna", 0).initial_seed() % 2**32
    sampler = optuna.samplers.TPESampler(seed=seed, constant_liar=True)
    theirs = optuna.create_study(sampler=sampler)
    member = 0
    for batch in (12, 7, 5):
        asked = ours.ask(batch)
        trials = [theirs.ask() for _member in range(batch)]
        for config, trial in zip(asked, trials, strict=True):
            lr = trial.suggest_float("lr", 1e-4, 1e-1, log=True)
            hidden = trial.suggest_categorical("hidden", ["16", "64,32", "none"])
            size = trial.suggest_int("batch_size", 8, 64, log=True)
            optimizer = trial.suggest_categorical("optimizer", ["sgd", "adam"])
            assert (config["lr"], config["batch_size"], config["optimizer"]) == (lr, size, optimizer)
            assert config["hidden"] == {"16": (16,), "64,32": (64, 32), "none": ()}[hidden]
            if optimizer == "sgd":
                assert config["momentum"] == trial.suggest_float("momentum", 0, 0.9)
            else:
                assert "momentum" not in config
        for config, trial in zip(asked, trials, strict=True):
            diverged = config["lr"] > 0.05
            ours.tell(member, None if diverged else figure(config))
            theirs.tell(
                trial,
                None if diverged else figure(config),
                state=optuna.trial.TrialState.FAIL if diverged else None,
            )
            member += 1


@pytest.mark.slow
def test_a_storage_holds_the_trials_as_optunas_own(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path / 'sweep.db'}"
    made = tpe(space(), storage=address, name="wine")
    for member, config in enumerate(made.ask(3)):
        made.tell(member, figure(config))
    study = optuna.load_study(study_name="wine", storage=address)
    assert [t.state.name for t in study.trials] == ["COMPLETE"] * 3
    assert set(study.trials[0].params) >= {"lr", "hidden", "batch_size", "optimizer"}


def test_a_storage_that_can_not_be_opened_is_named(tmp_path: Path) -> None:
    with pytest.raises(TreinoError, match=r"sweep\.db") as error:
        tpe(space(), storage=f"sqlite:///{tmp_path / 'none' / 'sweep.db'}")
    assert error.value.rule == "optuna_storage"


def test_without_optuna_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "optuna", None)
    assert "treino[optuna]" in str(refusal_of(tpe, space()))
