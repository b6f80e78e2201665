"""``treino judge`` at its door: what it prints, its document, its refusals."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.conftest import Said

import treino as tr
from treino.base.words import Sentence


def searched(path: Path, lead: float, unit: str = "seed") -> None:
    """20 settings of 8 scores each, of which the one with lr 7 is better."""
    rng = np.random.default_rng(0)
    rows = [
        {
            "lr": lr,
            "depth": lr % 3,
            unit: k,
            "val_acc": 0.8 + 0.01 * rng.normal() + lead * (lr == 7),
            "seconds": 60,
        }
        for lr in range(20)
        for k in range(8)
    ]
    pd.DataFrame(rows).to_csv(path)


@pytest.fixture(autouse=True)
def _few_resamples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("treino.inspection.variance_shares.RESAMPLES", 6)


KEYS = """path source study trials score verdict best second first luck comparisons ties settings explained
    rerun sentences notes sources"""
LUCK = "method amount at_most expected interval noise noise_from noise_is"
FLAGS = ("--seed-column", "seed", "--settings", "lr,depth")


@pytest.mark.slow
def test_a_planted_winner_is_found_and_noise_is_a_tie(treino: Callable[..., Said], tmp_path: Path) -> None:
    searched(tmp_path / "t.csv", 0.1)
    found = treino("judge", "t.csv", *FLAGS, "--json").document
    assert found["verdict"] == "winner"
    assert found["best"]["settings"] == {"lr": 7, "depth": 1}
    assert found["trials"]["total"] == 20
    assert found["score"] == {"name": "val_acc", "direction": "maximize", "unit": "seed", "each": 8}
    assert found["ties"] == 1
    assert found["rerun"]["seconds"] == found["rerun"]["each"] * 2 * 60
    searched(tmp_path / "n.csv", 0.0)
    none = treino("judge", "n.csv", *FLAGS, "--json").document
    assert none["verdict"] == "tie"
    assert none["luck"]["amount"] > 0.003
    assert none["luck"]["expected"] < none["best"]["score"]


def test_the_document_s_keys(treino: Callable[..., Said], tmp_path: Path) -> None:
    searched(tmp_path / "t.csv", 0.0)
    found = treino("judge", "t.csv", *FLAGS, "--json").document
    assert list(found) == KEYS.split()
    assert set(found["luck"]) == set(LUCK.split())
    assert [c["with"] for c in found["comparisons"]] == ["second", "first"]
    assert {s["name"] for s in found["settings"]} == {"lr", "depth"}
    assert all(s["interval"][0] <= s["share"] <= s["interval"][1] for s in found["settings"])


@pytest.mark.slow
def test_what_it_prints(treino: Callable[..., Said], tmp_path: Path) -> None:
    searched(tmp_path / "t.csv", 0.1)
    said = treino("judge", "t.csv", *FLAGS)
    assert said.status == 0
    assert "20 trials of a table: 20 finished; 8 seeds each" in said.out
    for text in ("lr=7, depth=1", "is better than the second", "Settings, by the share", "rests on: Dunnett"):
        assert text in said.out
    searched(tmp_path / "f.csv", 0.0, "fold")
    said = treino("judge", "f.csv", "--fold-column", "fold", "--settings", "lr")
    assert "rests on: Nadeau" in said.out
    assert "overlap" in said.out


def test_totals_alone_are_judged_as_far_as_they_go(treino: Callable[..., Said], tmp_path: Path) -> None:
    pd.DataFrame({"acc": np.arange(10) / 10, "lr": range(10)}).to_csv(tmp_path / "t.csv", index=False)
    said = treino("judge", "t.csv", "--settings", "lr")
    assert said.status == 0
    for text in ("can't be told", "five times each", "10 trials say little", "Nothing tells whether"):
        assert text in said.out, text
    found = treino("judge", "t.csv", "--json").document
    assert found["verdict"] == "unknown"
    assert found["comparisons"][0]["p"] is None
    assert any("--settings a,b" in note for note in found["notes"])


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        (("nothing.csv",), "trials_missing"),
        (("t.csv", "--maximize", "--minimize"), "direction_twice"),
        (("t.csv", "--study", "a"), "study_unknown"),
        (("t.csv", "--score", "val_ac"), "score_unknown"),
        (("t.csv", "--seed-column", "seed"), "settings_missing"),
        (("t.csv", "--settings", "lr,deep"), "column_unknown"),
        ((), "usage"),
    ],
)
def test_refusals(treino: Callable[..., Said], tmp_path: Path, words: tuple[str, ...], rule: str) -> None:
    searched(tmp_path / "t.csv", 0.0)
    said = treino("judge", *words, "--json")
    assert said.status == 2
    assert said.document["error"]["rule"] == rule
    assert said.document["error"]["hint"]


def test_a_folder_of_treino_s_own_has_its_judgement_already(treino: Callable[..., Said]) -> None:
    tr.fit("iris", steps=2, name="r")
    said = treino("judge", "runs/r", "--json")
    assert said.document["error"]["rule"] == "trials_own"
    assert "treino show runs/r" in said.document["error"]["hint"]


def test_trials_are_counted_by_state_with_a_plural_of_their_own(
    treino: Callable[..., Said], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    states = ["finished"] * 3 + ["pruned"] * 2 + ["failed"]
    frame = pd.DataFrame({"acc": np.arange(6) / 10, "state": states})
    frame.to_csv(tmp_path / "t.csv", index=False)
    assert "6 trials of a table: 3 finished, 1 failed, 2 pruned" in treino("judge", "t.csv").out
    plural = {"{n:,} finished": "{n:,} concluídas", "{n:,} pruned": "{n:,} podadas"}
    monkeypatch.setattr("treino_judge.view._", lambda text: Sentence(plural.get(text) or text))
    assert "3 concluídas, 1 failed, 2 podadas" in treino("judge", "t.csv").out
