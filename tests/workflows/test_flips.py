"""A bit flipped anywhere in a sealed or killed run, sweep or study: an error that helps, or no difference."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from benchmarks.flips import Folder, flipped, folders
from benchmarks.small_folders import frequent_checkpoints


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, list[Folder]]]:
    with frequent_checkpoints():
        yield folders(tmp_path_factory.mktemp("made"), random.Random(0))


@pytest.mark.slow
def test_no_flip_is_silent(made: dict[str, list[Folder]], tmp_path: Path, thorough: bool) -> None:
    chance = random.Random(1)
    for kind, some in made.items():
        found = [flipped(chance.choice(some), tmp_path, chance) for _time in range(200 if thorough else 8)]
        ends = [end for each in found for end in each.values()]
        assert {*ends} <= {"error", "same"}, kind
        assert "error" in ends
        assert ("same" in ends) == ("killed" in kind)
