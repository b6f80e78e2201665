"""Sweeps: members equal themselves trained alone, none is lost or trained twice, the best is judged."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

import treino as tr
from tests.conftest import refusal_of
from tests.many_networks import sweep_events
from treino.base.errors import TreinoError
from treino.base.resampling import auc_scores, f1_scores
from treino.fit_events import FitRequest, fit_events
from treino.folders.store import RunFolder
from treino.training.loop import JobEnd
from treino.training.search import judge
from treino.training.search.samplers import halving
from treino.training.sweeps.bracket import read_top
from treino.training.sweeps.populations import populations_of, settings_of

SPACE = ["lr=1e-4..1e-1:log", "hidden=8|16,8", "dropout=0..0.5", "optimizer=sgd|adam",
         "momentum=0..0.9 if optimizer=sgd"]  # fmt: skip
SMALL: dict[str, Any] = {"members": 24, "fresh": 0, "settings": {"epochs": 60}}


def swept(out: Path, space: Any = SPACE, source: Any = "iris", **asked: Any) -> dict[str, Any]:
    events = list(sweep_events(source, space, out=out, **{**SMALL, **asked}))
    assert isinstance(events[-1], JobEnd)
    return events[-1].document


def table(out: Path) -> pd.DataFrame:
    return pd.read_parquet(out / "members.parquet")


def content(out: Path) -> dict[str, Any]:
    """All that a sweep comes to, without times and places."""
    document = json.loads((out / "result.json").read_text())
    for name in ("seconds", "model_steps_per_second", "sweep", "path", "model_steps"):
        document.pop(name)
    document["best"].pop("run")
    return document


def test_halving_cuts_as_the_brackets_say_and_the_best_go_on(tmp_path: Path) -> None:
    document = swept(tmp_path / "s", strategy="halving")
    rows = table(tmp_path / "s")
    (bracket,) = halving(24, 60, 3, least=5)  # 105 rows by 32: 4 steps an epoch, the first look after 5
    assert rows.groupby("rung").member.nunique().tolist() == [r.members for r in bracket]
    for rung in range(len(bracket) - 1):
        here, on = rows[rows.rung == rung], set(rows[rows.rung == rung + 1].member)
        assert on == set(here.sort_values(["best", "member"]).head(len(on)).member)
        assert (here[~here.member.isin(on)].status == "stopped").all()
    assert (rows[rows.rung == rows.rung.max()].status == "finished").all()
    assert document["members"] == 24 == document["finished"] + document["stopped"] + document["diverged"]
    assert document["best"]["member"] == rows.sort_values(["best", "member"]).member.iloc[0]
    assert not [name for name in rows.columns if "test" in name]
    assert all("test" not in entry for entry in document["leaderboard"])


@pytest.mark.parametrize(
    "strategy",
    [
        pytest.param("none", marks=pytest.mark.release),
        pytest.param("halving", marks=pytest.mark.proof),
        "hyperband",
    ],
)
def test_every_member_is_what_it_is_alone(tmp_path: Path, strategy: str) -> None:
    events = list(
        sweep_events("iris", SPACE, out=tmp_path / "s", **{**SMALL, "strategy": strategy, "top": 24})
    )
    assert events[-1].document["judge"]["certificate"]["same_bits"]
    folder = RunFolder.open(tmp_path / "s")
    kept = {k.member: k for k in read_top(folder)}
    assert len(kept) + events[-1].document["diverged"] == 24
    spec, configs = folder.read_json("spec.json"), folder.read_json("asked.json")["configs"]
    last = table(tmp_path / "s").sort_values("rung").groupby("member").last()
    from treino.data import load

    data = load("iris", data_seed=spec["base"]["data_seed"])
    for member, k in kept.items():
        own = settings_of(configs[member] | {"engine": last.engine[member]}, spec["base"], member)
        (population,) = populations_of({member: own}, lambda _s: data, {}, "loss")
        alone = population.training
        while alone.step < last.step[member]:
            alone.advance(None, until=int(last.step[member]))
        mine = alone.net(0).state_dict()
        assert mine.keys() == k.weights.keys()
        assert all(mine[name].equal(k.weights[name]) for name in mine), member


def test_curves_hold_every_members_path(tmp_path: Path) -> None:
    swept(tmp_path / "s", strategy="none", members=6)
    folder = RunFolder.open(tmp_path / "s")
    rows = table(tmp_path / "s").set_index("member")
    seen = []
    for path in sorted((tmp_path / "s" / "curves").iterdir()):
        tensors, meta = folder.read_tensors(f"curves/{path.name}")
        seen += meta["members"]
        assert tensors["epoch"].tolist() == list(range(5, 61, 5))
        for column, member in enumerate(meta["members"]):
            best = np.nanmin(tensors["figure"][:, column].numpy())
            assert best == pytest.approx(rows.best[member], rel=1e-6)
    assert sorted(seen) == list(range(6))


@pytest.mark.slow
def test_members_that_diverge_are_a_result(tmp_path: Path) -> None:
    document = swept(
        tmp_path / "s", ["lr=0.001|1e5", "seed=0..2"], members=6, settings={"epochs": 30, "optimizer": "sgd"}
    )
    assert document["diverged"] == 3
    assert all(entry["params"]["lr"] == 0.001 for entry in document["leaderboard"])
    rows = table(tmp_path / "s")
    assert rows[rows.lr == 1e5].best.isna().all()


def test_a_sweep_in_which_all_diverge_says_so(tmp_path: Path) -> None:
    document = swept(tmp_path / "s", ["lr=1e5|1e6"], settings={"epochs": 30, "optimizer": "sgd"})
    assert document["best"] is None
    assert "Every network diverged" in document["notes"][-1]
    assert RunFolder.open(tmp_path / "s").status == "diverged"


@pytest.mark.slow
def test_enough_is_enough(tmp_path: Path) -> None:
    document = swept(tmp_path / "s", until="accuracy=0.5", strategy="none")
    assert document["status"] == "finished"
    assert max(e["validation"]["accuracy"] for e in document["leaderboard"]) >= 0.5
    assert document["finished"] < 24
    assert document["judge"]["certificate"]["same_bits"]
    document = swept(
        tmp_path / "u", until="accuracy=0.5", strategy="none", settings={"epochs": 60, "schedule": "cosine"}
    )
    assert document["judge"]["certificate"]["same_bits"]
    document = swept(tmp_path / "t", max_time=1e-9, strategy="none", members=200, settings={"epochs": 3000})
    assert document["status"] == "stopped"
    assert document["stopped"] > 0


@pytest.mark.parametrize(
    ("space", "asked", "rule"),
    [
        ([], {}, "space_empty"),
        (["learning=1..2"], {}, "space_unknown"),
        (["target=a|b"], {}, "space_shared"),
        (["device=cpu|cuda"], {}, "space_shared"),
        (["every=1|5"], {}, "space_shared"),
        (["lr=1e-3|1e-2"], {"settings": {"every": 5}}, "every_of_several"),
        (["lr=-1|1"], {"sampler": "grid"}, "lr_range"),
        (["momentum=0.5|0.9"], {}, "momentum_with_adam"),
        (["lr=1e-3..1e-1:log"], {"sampler": "grid"}, "space_levels"),
        (["lr=1e-3|1e-2"], {"strategy": "halfing"}, "strategy_unknown"),
        (["lr=1e-3|1e-2"], {"sampler": "sobl"}, "sampler_unknown"),
        (["lr=1e-3|1e-2"], {"members": 0}, "members_range"),
        (["lr=1e-3|1e-2"], {"max_time": 0}, "max_time_range"),
        (["lr=1e-3|1e-2"], {"until": "acuracy=1"}, "until_metric"),
        (["lr=1e-3|1e-2"], {"until": "accuracy"}, "until_form"),
        (["lr=1e-3|1e-2"], {"until": "accuracy=high"}, "until_number"),
        (["lr=1e-3|1e-2"], {"settings": {"validation": 0.0}}, "no_validation_rows"),
        (["lr=1e-3|1e-2"], {"storage": "sqlite:///x.db"}, "storage_sampler"),
    ],
)
def test_what_can_not_be_is_refused_before_anything_is_written(
    tmp_path: Path, space: list[str], asked: dict[str, Any], rule: str
) -> None:
    error = refusal_of(swept, tmp_path / "s", space, **asked)
    assert error.rule == rule
    assert not (tmp_path / "s").exists()


def test_a_space_may_be_the_words_of_a_command_line(tmp_path: Path) -> None:
    (tmp_path / "space.toml").write_text('lr = "0.1|0.2"')
    boards = []
    for space in ({"lr": [0.1, 0.2]}, "lr=0.1|0.2", str(tmp_path / "space.toml")):
        made = tr.sweep("iris", space, parent=tmp_path / "runs", members=2, fresh=0, epochs=1)
        boards.append([entry["params"] for entry in made.document["leaderboard"]])
    assert len(boards[0]) == 2
    assert boards == [boards[0]] * 3


def test_a_wrong_member_is_named(tmp_path: Path) -> None:
    with pytest.raises(TreinoError, match=r"Network \d+ \(lr=2e\+31\)"):
        swept(tmp_path / "s", ["lr=0.1|2e31"])


@pytest.mark.slow
def test_the_judge_finds_what_is_there(tmp_path: Path) -> None:
    document = swept(tmp_path / "s", ["lr=1e-3..3e-2:log", "hidden=16|32"], "moons", fresh=6, members=12)
    judged = document["judge"]
    assert judged["verdict"] in ("winner", "tie")
    assert judged["p_beats_baseline"] > 0.95
    assert judged["test"] == document["best"]["test"]["accuracy"]
    assert judged["test_interval"][0] < judged["test"] <= judged["test_interval"][1]
    assert len(judged["fresh_seeds"]) == 6
    assert judged["smallest_within_1se"]["parameters"] <= document["best"]["parameters"]
    assert f"accuracy {judged['test']:.3f}" in judged["sentence"]


def test_regression_is_judged_in_the_targets_own_units(tmp_path: Path) -> None:
    document = swept(tmp_path / "s", ["lr=1e-3|1e-2"], "diabetes", members=2, settings={"epochs": 20})
    assert document["judge"]["metric"] == "rmse"
    assert 40 < document["judge"]["seen"] < 100
    assert document["judge"]["seen"] == pytest.approx(document["best"]["validation"]["rmse"], rel=1e-4)


@pytest.mark.slow
def test_a_memory_that_is_too_small_parts_the_members(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("treino.training.sweeps.sweep_members.free_bytes", lambda: 100_000)
    document = swept(tmp_path / "s", strategy="halving", members=20, settings={"epochs": 20})
    assert "are trained at a time" in " ".join(document["notes"])
    assert table(tmp_path / "s").bracket.nunique() > 1
    assert document["members"] == 20


def test_the_weights_that_are_kept_are_the_networks_that_were_trained(tmp_path: Path) -> None:
    document = swept(tmp_path / "s", members=5, top=3)
    folder = RunFolder.open(tmp_path / "s")
    kept = read_top(folder)
    assert [k.member for k in kept] == [e["member"] for e in document["leaderboard"][:3]]
    best, _meta = RunFolder.open(tmp_path / "s" / "best").read_tensors("model.safetensors")
    assert all(torch.equal(best[name], t) for name, t in kept[0].weights.items())


def test_schedules_train_side_by_side(tmp_path: Path) -> None:
    space = ["schedule=cosine|constant|step", "warmup=0|9", "lr=1e-3..1e-1:log"]
    document = swept(tmp_path / "s", space, strategy="halving", members=18, settings={"epochs": 20})
    assert table(tmp_path / "s").group.nunique() == 1
    assert document["judge"]["certificate"]["same_bits"]


def test_those_that_are_equally_right_are_parted_by_their_loss(tmp_path: Path) -> None:
    document = swept(
        tmp_path / "s", ["lr=1e-3..1e-1:log"], "wine", strategy="halving", members=18,
        settings={"epochs": 40, "metric": "accuracy"},
    )  # fmt: skip
    rows = table(tmp_path / "s")
    for rung in range(rows.rung.max()):
        here, on = rows[rows.rung == rung], set(rows[rows.rung == rung + 1].member)
        order = here.sort_values(["best", "validation_loss", "member"], ascending=[False, True, True])
        assert on <= set(order.member.head((here.shape[0] + 2) // 3 + 1))
    leaders = [entry["validation"] for entry in document["leaderboard"]]
    assert leaders == sorted(leaders, key=lambda v: (-v["accuracy"], v["loss"]))
    assert document["best"]["member"] == document["leaderboard"][0]["member"]
    assert len({v["accuracy"] for v in leaders[:3]}) == 1


@pytest.mark.parametrize(
    ("source", "settings"),
    [
        ("wine", {"class_weights": (1.0, 5.0, 2.0)}),
        ("wine", {"metric": "f1_macro"}),
        ("breast_cancer", {"metric": "auc"}),
        ("diabetes", {"metric": "mae", "loss": "huber"}),
        ("diabetes", {"loss": "l1"}),
    ],
    ids=lambda v: str(v),
)
def test_luck_is_of_the_figure_that_decides(tmp_path: Path, source: str, settings: dict[str, Any]) -> None:
    """The scores that the judge chooses by give the very figures of the leaderboard."""
    asked: dict[str, Any] = {"members": 5, "strategy": "none", "fresh": 0}
    settings = {"epochs": 12, **settings}
    events = list(sweep_events(source, ["lr=1e-3..1e-1:log"], out=tmp_path / "s", settings=settings, **asked))
    metric = settings.get("metric", "loss")
    tensors, _meta = RunFolder.open(tmp_path / "s").read_tensors("rows/0.safetensors")
    choose = tensors["choose"]
    scores = {
        "f1_macro": lambda: f1_scores(choose, tensors["target"]),
        "auc": lambda: auc_scores(choose, tensors["target"]),
    }.get(metric, lambda: judge.by_rows(choose, weight_N=tensors["weight"]))()
    score_M = scores(None).tolist()
    scale = events[0].job.data.target_scale if metric == "mae" else 1.0
    found = {e["member"]: e["validation"][metric] for e in events[-1].document["leaderboard"]}
    for member, score in zip(tensors["member"].tolist(), score_M, strict=True):
        assert abs(score) * scale == pytest.approx(found[member], rel=1e-5)


@pytest.mark.parametrize(
    ("until", "rule"),
    [(("accuracy", 0.9), "until_task"), ("loss=1,rmse=2", "until_several"), ("rmse", "until_form"),
     ("rmse=-1", "until_range")],
)  # fmt: skip
def test_a_goal_out_of_reach_is_refused_before_there_is_a_folder(
    tmp_path: Path, until: Any, rule: str
) -> None:
    for begin in (
        lambda: sweep_events("diabetes", ["lr=1e-3|1e-2"], out=tmp_path / "s", until=until),
        lambda: fit_events(FitRequest("diabetes", {}, None, seeds=2, until=until, parent=tmp_path))[0],
    ):
        with pytest.raises(TreinoError) as refused:
            list(begin())
        assert refused.value.rule == rule
    assert not list(tmp_path.iterdir())


def test_a_network_whose_rows_were_prepared_otherwise_predicts_nothing_with_those(tmp_path: Path) -> None:
    """Of rows in memory the folder keeps those that the shared settings prepared."""
    torch.manual_seed(0)
    x = (50 * torch.randn(80, 2) + 300).numpy()
    space = {"normalise": [True, False]}
    swept = tr.sweep((x, x[:, 0] > 300), space, sampler="grid", epochs=2, fresh=0, out=tmp_path / "s")
    assert len(swept.member(0).predict(x)) == 80
    assert "prepared already" in str(refusal_of(swept.member, 1))
