"""One warm process for all agents, and an agent with two runs."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from apps.agents.tests.client import Agent, agent_in, environment


@pytest.fixture(scope="session")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where to ask for a server that begins at once; see `apps.agents.tests.warm`."""
    place = tmp_path_factory.mktemp("warm") / "socket"
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "apps.agents.tests.warm", str(place)],
        env=environment() | {"PYTHONSAFEPATH": "1", "MPLBACKEND": "Agg"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,  # Ctrl-C is for the test
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    yield place
    process.communicate()


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The agent's folder: a table of houses, and a search of others."""
    folder = tmp_path_factory.mktemp("agents") / "own"
    folder.mkdir()
    rng = np.random.default_rng(0)
    area = rng.uniform(20, 200, 120).round(1)
    frame = pd.DataFrame({"area": area, "rooms": rng.integers(1, 6, 120), "price": area * 3 + 20})
    frame.to_csv(folder / "houses.csv", index=False)
    frame = pd.DataFrame({"lr": 10 ** rng.uniform(-4, -1, 12), "score": rng.normal(size=12)})
    frame.to_csv(folder / "trials.csv", index=False)
    return folder


@pytest.fixture(scope="session")
def agent(served: Path, warm: Path) -> Iterator[Agent]:
    with agent_in(served, warm=warm) as one:
        one.document("train", data="houses.csv", target="price", hidden=[8], epochs=10, seed=0, name="houses")
        one.document("train", data="iris", hidden=[6], steps=200, name="iris")
        yield one
