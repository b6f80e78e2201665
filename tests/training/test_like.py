"""A network of a sweep by its number: trained again to the same bits, its weights, its predictions."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from tests.conftest import Treino
from treino.api import open as open_result
from treino.data.column_program import ColumnProgram
from treino.data.preparation.fit_columns import text_program
from treino.data.preparation.texts import TextTerms

SWEEP = ("sweep", "iris", "--space", "lr=1e-3..1e-1:log", "--space", "hidden=8|8,8", "--space",
         "dropout=0|0.3", "--members", 8, "--epochs", 8, "--fresh", 0, "--name", "s")  # fmt: skip


@pytest.mark.slow
def test_a_network_of_a_sweep_by_its_number(treino: Treino) -> None:
    board = treino(*SWEEP, "--json").document["leaderboard"]
    finished = [entry["member"] for entry in board if entry["status"] == "finished"]
    for member in finished[:2]:
        assert treino("train", "--like", f"s:{member}", "--name", f"again-{member}").status == 0
        mine, kept = open_result(f"again-{member}").module.state_dict(), open_result(f"s:{member}").tensors
        assert mine.keys() == kept.keys()
        assert all(torch.equal(mine[name], kept[name]) for name in kept)
        one = treino("predict", f"s:{member}", "iris", "--json").document
        other = treino("predict", f"again-{member}", "iris", "--json").document
        assert one["metrics"] == pytest.approx(other["metrics"])
    assert treino("train", "--like", f"again-{finished[0]}", "--name", "third").status == 0
    assert open_result("third").metrics == open_result(f"again-{finished[0]}").metrics
    for word in ("script", "safetensors"):
        path = treino("export", f"s:{finished[0]}", "--format", word, "--json").document["path"]
        assert f"s-{finished[0]}" in path
    shown = treino("show", f"s:{finished[0]}", "--json").document
    assert shown["params"] == board[0]["params"]


@pytest.mark.slow
def test_weights_to_begin_with(treino: Treino) -> None:
    treino(*SWEEP)
    member = treino("show", "s", "--json").document["best"]["member"]
    words = ("train", "--like", f"s:{member}", "--weights", f"s:{member}", "--lr", 1e-30, "--epochs", 2)
    assert treino(*words, "--name", "same").status == 0
    same, kept = open_result("same"), open_result(f"s:{member}").tensors
    assert all(torch.equal(same.tensors[name], kept[name]) for name in kept)
    assert same.spec.weights == f"s:{member}"
    assert "--weights" in same.spec.command
    said = treino("train", "--like", "same", "--json").document["error"]
    assert (said["rule"], f"--weights s:{member}" in said["hint"]) == ("like_weights", True)
    script = Path(treino("export", "same", "--json").document["path"]).read_text()
    assert "The run began with the weights of" in script
    assert "def train" not in script
    words = ("train", "iris", "--weights", f"s:{member}", "--hidden", 5, "--json")
    assert treino(*words).document["error"]["rule"] == "weights_differ"


def test_a_run_that_began_with_weights_goes_on_with_them(treino: Treino) -> None:
    from treino.settings.spec import read_settings
    from treino.training.loop import JobStart
    from treino.training.train import Start, drain, resuming, train_events

    treino("train", "iris", "--epochs", 3, "--name", "first")
    start = Start("first", open_result("first").tensors)

    def events(out: str) -> object:
        return train_events("iris", read_settings({"epochs": 4, "out": out}), start=start)

    whole, torn = drain(events("whole")), events("torn")
    assert isinstance(next(torn), JobStart)
    torn.close()
    again = drain(resuming("torn"))
    assert all(torch.equal(again.tensors[name], t) for name, t in whole.tensors.items())
    assert whole.losses[0] < 0.9


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        (("train", "--like", "nowhere:3"), "no_runs"),
        (("train",), "usage"),
        (("predict", "nowhere:1", "iris"), "no_runs"),
    ],
)
def test_numbers_that_name_nothing(treino: Treino, words: tuple[str, ...], rule: str) -> None:
    assert treino(*words, "--json").document["error"]["rule"] == rule


def sizes(seed: int, **other: Sequence[str]) -> pd.DataFrame:
    """A table of numbers, a column of few classes, and classes to learn; ``other`` are other classes."""
    rng, words = np.random.default_rng(seed), {"kind": ("a", "b", "c"), "colour": ("red", "green")} | other
    drawn = {name: rng.choice(among, 90) for name, among in words.items()}
    return pd.DataFrame({"u": rng.normal(size=90), "v": rng.normal(size=90), **drawn})


SAME_COUNT = {
    "other classes": (sizes(1, kind=("b", "c", "d")), {}, ["kind=a", "kind=d"]),
    "other categories": (sizes(1, colour=("green", "pink")), {}, ["'colour'", "colour=red", "colour=pink"]),
    "more categories": (sizes(1, colour=("green", "red", "pink")), {}, ["Only here: colour=pink"]),
    "another column": (sizes(1).rename(columns={"v": "w"}), {"features": "u,w,colour"}, ["Only here: w"]),
    "another target": (sizes(1).rename(columns={"kind": "sort"}), {"target": "sort"}, ["kind=a", "sort=a"]),
    "a number": (sizes(1), {"target": "v", "features": "u,kind,colour"}, ["kind=a", "Only here: v"]),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", SAME_COUNT)
@pytest.mark.parametrize("refit", [[], ["--refit"]])
@pytest.mark.sampled(3)
def test_weights_are_refused_where_inputs_or_outputs_mean_something_else(
    treino: Treino, tmp_path: Path, case: str, refit: list[str]
) -> None:
    """Also where the tensors have the same shapes; nothing is written."""
    sizes(0).to_csv(tmp_path / "first.csv", index=False)
    table, given, words = SAME_COUNT[case]
    table.to_csv(tmp_path / "other.csv", index=False)
    plain = ("--recipe", "plain", "--epochs", 1)
    assert treino("train", "first.csv", "--target", "kind", *plain, "--name", "first").status == 0
    flags = [f"--{name}={value}" for name, value in ({"target": "kind"} | given).items()]
    said = treino("train", "other.csv", *flags, *plain, *refit, "--weights", "first", "--name", "n", "--json")
    error = said.document["error"]
    assert (said.status, error["rule"]) == (2, "weights_differ")
    assert all(word in error["message"] for word in words), error["message"]
    assert "--weights" in error["hint"]
    assert not (tmp_path / "runs" / "n").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    "words", [[], ["--refit"], ["--features", "colour,v,u"], ["--lr", "auto"], ["--like", "first"]]
)
def test_weights_fit_columns_by_their_names(treino: Treino, tmp_path: Path, words: list[str]) -> None:
    """In whatever order columns stand, and beside others, they begin at the same weights; a missing one is
    named."""
    for seed in (0, 1):
        sizes(seed).to_csv(tmp_path / f"{seed}.csv", index=False)
    plain = ("--target", "kind", "--recipe", "plain", "--epochs", 1)
    assert treino("train", "0.csv", *plain, "--name", "first").status == 0
    moved = sizes(1).assign(w=range(90))[["colour", "kind", "w", "v", "u"]]
    moved.to_csv(tmp_path / "2.csv", index=False)
    moved.drop(columns="v").to_csv(tmp_path / "3.csv", index=False)
    given = *plain, *words, "--weights", "first", "--json"
    same, other = (treino("train", f"{table}.csv", *given).document for table in (1, 2))
    assert same["features"] == other["features"] == ["u", "v", "colour"]
    assert same["loss"] == other["loss"]
    error = treino("train", "3.csv", *given).document["error"]
    assert ("'v'" in error["message"] and "--features" in words) or "first learnt from it" in error["message"]


def test_what_hides_behind_equal_names_of_inputs_has_a_meaning() -> None:
    """Ranks of classes and sums of a text's terms are named alike, whatever they rank and sum."""

    def ranked(*levels: str) -> ColumnProgram:
        steps = [{"do": "word"}, {"do": "place", "values": levels}, {"do": "fill", "of": 1, "value": 1.0}]
        return ColumnProgram.model_validate({"column": "size", "way": "rank", "steps": steps, "shown": [2]})

    rank, other = ranked("s", "m", "l"), ranked("bad", "fair", "good")
    assert rank.inputs == other.inputs
    assert set(rank.meanings[1:]).isdisjoint(other.meanings)
    known = TextTerms("ab", ("a", "b"), (1.0, 1.0), 0, 2, (1.0, 2.0), ())
    text = text_program("t", known)
    for change in ({"terms": ("b", "a")}, {"sums": (2.0, 1.0)}):
        other_text = text_program("t", known._replace(**change))
        assert text.inputs == other_text.inputs
        assert text.meanings != other_text.meanings
