"""A sweep that is given more networks equals one that had them from the first, and says when they came."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import treino as tr
from tests.conftest import Treino, refusal_of
from tests.many_networks import sweep_events
from treino.base.errors import TreinoError
from treino.folders.store import RunFolder
from treino.training.commands import send_stop
from treino.training.loop import JobClose, JobEnd
from treino.training.search.samplers import halving, sampler
from treino.training.search.space import read_space
from treino.training.stored_results import StoredSweep
from treino.training.sweeps.sweep import sweep_resumption
from treino.training.sweeps.sweep_members import send_more

SPACE = ["lr=1e-3..1e-1:log", "dropout=0..0.5"]
ASKED: dict[str, Any] = {
    "sampler": "random",
    "strategy": "none",
    "fresh": 2,
    "settings": {"epochs": 20, "hidden": (6,), "engine": "batched", "threads": 1},
}


def swept(out: Path, members: int, space: Any = SPACE, **asked: Any) -> dict[str, Any]:
    return ended(sweep_events("iris", space, out=out, members=members, **{**ASKED, **asked}))


def ended(events: Any) -> dict[str, Any]:
    *_events, last = events
    assert isinstance(last, JobEnd)
    return last.document


def table(out: Path) -> pd.DataFrame:
    """The table without the number of the bracket, and of the group in it."""
    return pd.read_parquet(out / "members.parquet").drop(columns=["bracket", "group"])


def judged(out: Path) -> dict[str, Any]:
    """What the judge found."""
    judge: dict[str, Any] = json.loads((out / "result.json").read_text())["judge"]
    return judge


def configs(out: Path) -> list[dict[str, Any]]:
    return list(json.loads((out / "asked.json").read_text())["configs"])


@pytest.mark.slow
@pytest.mark.sampled(2)
@pytest.mark.parametrize("name", ["sobol", "random"])
def test_four_and_four_are_eight_to_the_bit(tmp_path: Path, name: str) -> None:
    swept(tmp_path / "whole", 8, sampler=name, top=8)
    swept(tmp_path / "parts", 4, sampler=name, top=8)
    before = judged(tmp_path / "parts")
    document = ended(sweep_resumption(tmp_path / "parts", more=4))
    assert document["members"] == 8
    assert configs(tmp_path / "parts") == configs(tmp_path / "whole")
    pd.testing.assert_frame_equal(table(tmp_path / "parts"), table(tmp_path / "whole"), check_exact=True)
    kept = [StoredSweep(RunFolder.open(tmp_path / of)) for of in ("whole", "parts")]
    for member in range(8):
        one, other = (sweep.member(member).module.state_dict() for sweep in kept)
        assert one.keys() == other.keys()
        assert all(one[key].equal(other[key]) for key in one)
    assert judged(tmp_path / "parts") == judged(tmp_path / "whole")  # the luck of the best of eight
    assert judged(tmp_path / "parts")["expected_inflation"] >= 0
    (entry,) = document["extensions"]
    assert (entry["members"], entry["first"], entry["judged"]) == (4, 4, before["sentence"])
    assert any(before["sentence"] in note for note in document["notes"])


@pytest.mark.slow
def test_a_strategy_that_cuts_gets_a_further_bracket(tmp_path: Path) -> None:
    swept(tmp_path / "s", 12, strategy="halving")
    document = ended(sweep_resumption(tmp_path / "s", more=20))
    brackets = json.loads((tmp_path / "s" / "asked.json").read_text())["brackets"]
    expected = [halving(n, 20, 3, least=5)[0] for n in (12, 20)]  # the first look is after 5 epochs
    assert [bracket[:2] for bracket in brackets] == [[0, 12], [12, 20]]
    assert [[r[0] for r in bracket[2]] for bracket in brackets] == [[r.members for r in b] for b in expected]
    rows = pd.read_parquet(tmp_path / "s" / "members.parquet")
    assert document["best"]["member"] == rows.sort_values(["best", "member"]).member.iloc[0]
    assert document["judge"]["certificate"]["same_bits"]


def test_what_a_stopped_sweep_had_not_begun_is_what_comes_next(tmp_path: Path) -> None:
    asked = {**ASKED, "strategy": "hyperband", "fresh": 0}
    events = sweep_events("iris", SPACE, out=tmp_path / "s", members=40, **asked)
    next(events)
    send_stop(RunFolder.open(tmp_path / "s", verify=False))
    document = ended(events)
    begun = document["members"]
    assert document["status"] == "stopped"
    assert begun < 40
    document = ended(sweep_resumption(tmp_path / "s", more=5))
    space = read_space(SPACE)
    assert configs(tmp_path / "s") == sampler("random", space).ask(begun + 5)
    assert document["members"] == begun + 5
    assert document["extensions"][0]["first"] == begun


@pytest.mark.slow
def test_networks_are_added_to_a_sweep_while_it_trains(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("treino.training.sweeps.bracket.CHUNK_SECONDS", 0.0)
    swept(tmp_path / "whole", 16)
    events = sweep_events("iris", SPACE, out=tmp_path / "parts", members=8, **ASKED)
    for _event in zip(range(3), events, strict=False):
        pass
    send_more(RunFolder.open(tmp_path / "parts", verify=False), 8)
    document = ended(events)
    pd.testing.assert_frame_equal(table(tmp_path / "parts"), table(tmp_path / "whole"), check_exact=True)
    assert judged(tmp_path / "parts") == judged(tmp_path / "whole")
    assert [(e["members"], e["first"], "judged" in e) for e in document["extensions"]] == [(8, 8, False)]
    assert "8 networks were added to the first 8." in document["notes"]


@pytest.mark.slow
def test_optunas_sampler_goes_on_from_what_it_has_learnt(tmp_path: Path) -> None:
    pytest.importorskip("optuna")
    asked = {"sampler": "tpe", "fresh": 0, "strategy": "halving"}
    swept(tmp_path / "s", 32, **asked)
    ended(sweep_resumption(tmp_path / "s", more=8))
    swept(tmp_path / "whole", 40, **asked)
    assert configs(tmp_path / "s") == configs(
        tmp_path / "whole"
    )  # tpe asks for 32 at a time, and hears of these first


@pytest.mark.parametrize(
    ("space", "more", "rule"),
    [(SPACE, 0, "more_range"), (["hidden=4|6"], 1, "space_spent"), (["seed=0..9"], 7, "space_spent")],
)
def test_what_can_not_be_added_is_refused_and_the_sweep_stays_sealed(
    tmp_path: Path, space: Any, more: int, rule: str
) -> None:
    swept(tmp_path / "s", 4, space, fresh=0, settings={"epochs": 2})
    before = (tmp_path / "s" / "manifest.json").read_bytes()
    with pytest.raises(TreinoError) as refused:
        list(sweep_resumption(tmp_path / "s", more=more))
    assert refused.value.rule == rule
    assert (tmp_path / "s" / "manifest.json").read_bytes() == before
    RunFolder.open(tmp_path / "s")


def test_several_seeds_are_not_added_to(tmp_path: Path) -> None:
    sweep = tr.fit("iris", seeds=2, epochs=2, out=tmp_path / "s")
    assert refusal_of(sweep.resume, more=1).rule == "more_of_equal"


@pytest.mark.slow
def test_the_command_line_and_python_add_networks(tmp_path: Path, treino: Treino) -> None:
    swept(tmp_path / "s", 4, fresh=0)
    done = treino("resume", str(tmp_path / "s"), "--more", "3", "--json")
    assert done.document["members"] == 7
    sweep = tr.open(tmp_path / "s").resume(more=2)
    assert len(sweep.frame.member.unique()) == 9
    assert [entry["members"] for entry in sweep.document["extensions"]] == [3, 2]
    run = tr.fit("iris", epochs=1, out=tmp_path / "r")
    refused = treino("resume", str(run.path), "--more", "3", "--json")
    assert refused.document["error"]["rule"] == "more_of_no_sweep"


@pytest.mark.slow
def test_what_is_asked_too_late_is_refused(tmp_path: Path) -> None:
    swept(tmp_path / "s", 4, fresh=0)
    events = sweep_resumption(tmp_path / "s", more=2)
    for event in events:
        if isinstance(event, JobClose):  # it is being judged
            with pytest.raises(TreinoError, match="takes no more networks now"):
                send_more(RunFolder.open(tmp_path / "s", verify=False), 50)
    assert RunFolder.open(tmp_path / "s").database.commands() == []
    assert ended(sweep_resumption(tmp_path / "s", more=1))["members"] == 7
