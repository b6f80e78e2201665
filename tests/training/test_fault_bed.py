"""The fault bed: a training killed before any of its writes ends as if nobody had, and no flip is silent."""

import json
import random
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from benchmarks import flips
from benchmarks.small_folders import (
    KINDS,
    NAME,
    SETTINGS,
    computed,
    differences,
    drain,
    frequent_checkpoints,
    killed_at,
    new,
    writes,
)
from benchmarks.small_folders import finish as go_on

from tests.many_networks import sweep_events
from tests.workflows.test_resume import CASES
from treino.api import open as open_result
from treino.settings.spec import read_settings
from treino.training.branch import branching, rewinding
from treino.training.loop import JobEvent
from treino.training.sweeps.sweep import sweep_resumption
from treino.training.train import train_events

PARTS = 8  # of all places, for processes that test side by side
TRUNK = "trunk"  # the run of which a branch is killed
SPACE = ["lr=1e-4..1e-1:log", "hidden=8|16,8", "batch_size=30|60"]
CHANGES: dict[str, Any] = {
    "batch_size": 9, "optimizer": "adamw", "weight_decay": 0.1, "schedule": "cosine", "epochs": 8,
}  # fmt: skip
GROWTH: dict[str, Any] = {"hidden": [7, 4], "batch_size": 9, "fault": ["missing_zero_grad"], "epochs": 8}


def hyperband(parent: Path) -> Iterator[JobEvent]:
    asked: dict[str, Any] = {"members": 5, "fresh": 0, "sampler": "random", "strategy": "hyperband"}
    settings = {"epochs": 5, "threads": 1}
    return sweep_events("iris", SPACE, settings=settings, **asked, parent=parent, name=NAME)


def run_of(case: str, parent: Path) -> Iterator[JobEvent]:
    settings = SETTINGS | {"epochs": 4, "every": 5, **CASES[case], "name": NAME}
    return train_events("wine", read_settings(settings), parent=parent, checkpoint_seconds=0)


ANEW: dict[str, Callable[[Path], Iterator[JobEvent]]] = {
    **{kind: partial(new, kind) for kind in KINDS},
    "hyperband": hyperband,
    **{case: partial(run_of, case) for case in CASES},
}
# of a folder that is whole: its kind, and what is done with it
LATER: dict[str, tuple[str, Callable[[Path], Iterator[JobEvent]]]] = {
    "more networks": ("sweep", lambda parent: sweep_resumption(parent / NAME, more=4)),
    "rewound": ("run", lambda parent: rewinding(moment(parent / NAME), CHANGES, checkpoint_seconds=0)),
    "grown": ("run", lambda parent: rewinding(moment(parent / NAME), GROWTH, checkpoint_seconds=0)),
    "branch": (
        "run",
        lambda parent: branching(moment(parent / TRUNK), CHANGES | {"name": NAME}, checkpoint_seconds=0),
    ),
}
# all others are made of the same parts, and a release's
OFTEN = {"dropout and cosine": pytest.mark.proof} | dict.fromkeys(
    ("sweep", "study", "rewound"), pytest.mark.slow
)


def moment(path: Path) -> Any:
    return open_result(path).at(13)


def before(story: str, parent: Path) -> Path:
    """Make what is there before anybody is killed."""
    parent.mkdir()
    if story in LATER:
        drain(new(LATER[story][0], parent))
        if story == "branch":
            (parent / NAME).rename(parent / TRUNK)
    return parent


def finish(story: str, parent: Path) -> None:
    """Go on with what a killed process left, or begin."""
    if story in ANEW:
        go_on(ANEW[story], parent)
    elif any(
        word in read(parent / NAME / name) for name, word in (("spec", "segments"), ("asked", "extensions"))
    ):
        go_on(LATER[story][1], parent)
    else:
        drain(LATER[story][1](parent))


def read(path: Path) -> dict[str, Any]:
    file = path.with_suffix(".json")
    return dict(json.loads(file.read_text())) if file.exists() else {}


def files(folder: Path) -> set[str]:
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file() and p.name != ".lock"}


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize(
    "story", [pytest.param(s, marks=OFTEN.get(s, pytest.mark.release)) for s in (*ANEW, *LATER)]
)
@pytest.mark.sampled(PARTS)
def test_a_kill_before_any_write_loses_nothing(tmp_path: Path, story: str, part: int, thorough: bool) -> None:
    """Each is killed twice: in its training, and then in going on with it."""
    with frequent_checkpoints():
        base = before(story, tmp_path / "base")

        def parent(name: str) -> Path:
            return shutil.copytree(base, tmp_path / name)

        count = writes(partial(finish, story, parent("whole")))
        whole = computed(tmp_path / "whole" / NAME)
        chance = random.Random(f"{story} {part}")
        for place in range(part, count, PARTS) if thorough else chance.sample(range(count), 3):
            torn, again = parent(str(place)), chance.randrange(count)
            assert killed_at(partial(finish, story, torn), place)
            killed_at(partial(finish, story, torn), again)
            finish(story, torn)
            assert differences(whole, computed(torn / NAME)) == [], (place, again)
            assert files(torn) == files(tmp_path / "whole"), (place, again)
            shutil.rmtree(torn)
        assert count > 100


@pytest.fixture(scope="module")
def folders(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, list[flips.Folder]]]:
    """Of each kind a sealed one, and some that were killed."""
    with frequent_checkpoints(), pytest.MonkeyPatch.context() as patch:
        if not request.config.getoption("thorough"):
            patch.setattr(flips, "DEATHS", 1)
        yield flips.folders(tmp_path_factory.mktemp("made"), random.Random(0))


@pytest.mark.slow
def test_no_flip_is_silent(folders: dict[str, list[flips.Folder]], tmp_path: Path, thorough: bool) -> None:
    chance = random.Random(1)
    for kind, some in folders.items():
        found = [flips.flipped(chance.choice(some), tmp_path, chance) for _ in range(200 if thorough else 8)]
        ends = [end for each in found for end in each.values()]
        assert {*ends} <= {"error", "same"}, kind
        assert "error" in ends
        assert ("same" in ends) == ("killed" in kind)
