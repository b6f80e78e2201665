"""What the start page says before any process has loaded torch."""

from pathlib import Path

import pytest

from treino_studio.messages import RunRequest
from treino_studio.serving import known


@pytest.mark.parametrize(
    ("data", "settings", "said"),
    [
        ("wine", {"hidden": "8,8"}, {"data": "wine", "rows": 178, "columns": 14, "hidden": "8,8"}),
        ("moons", {}, {"data": "moons", "rows": 1000, "columns": 3, "hidden": None}),
        ("tables/bikes.csv", {}, {"data": "bikes.csv", "hidden": None}),  # which nobody has read yet
    ],
)
def test_it_says_only_what_is_certain(data: str, settings: dict[str, str], said: dict[str, object]) -> None:
    assert known(RunRequest(data=data, settings=settings, parent=Path("runs"))) == said
