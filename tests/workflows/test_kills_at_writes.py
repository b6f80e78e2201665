"""A run, a sweep, repeats and a study that are killed before any of their writes end as if nobody had."""

import random
import shutil
from functools import partial
from pathlib import Path

import pytest
from benchmarks.small_folders import (
    KINDS,
    NAME,
    computed,
    differences,
    finish,
    frequent_checkpoints,
    killed_at,
    writes,
)

PARTS = 8  # of all places, for processes that test side by side


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.sampled(PARTS)
def test_a_kill_before_any_write_loses_nothing(tmp_path: Path, kind: str, part: int, thorough: bool) -> None:
    """Each is killed twice: in its training, and then in going on with it."""
    with frequent_checkpoints():
        count = writes(partial(finish, kind, tmp_path / "whole"))
        whole = computed(tmp_path / "whole" / NAME)
        chance = random.Random(f"{kind} {part}")
        for place in range(part, count, PARTS) if thorough else chance.sample(range(count), 4):
            parent = tmp_path / str(place)
            again = chance.randrange(count)
            assert killed_at(partial(finish, kind, parent), place)
            killed_at(partial(finish, kind, parent), again)
            finish(kind, parent)
            assert differences(whole, computed(parent / NAME)) == [], (place, again)
            assert not list(parent.rglob("*.tmp"))
            shutil.rmtree(parent)
        assert count > 150
