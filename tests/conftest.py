"""Fixtures of all tests: one thread, an empty working folder, and the command line in this process."""

import gc
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.plots.browser import end_browser
from treino_doctor.base.garbage_collection import collect_rarely

collect_rarely()  # before anything large: what thousands of tests import stays
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[name] = "1"  # here and in what the tests start: several of them share few cores

import torch  # noqa: E402

collect_ignore = ["doctor"]  # the bed's scripts are people's, whatever they are called


def pytest_configure(config: pytest.Config) -> None:
    """What Hypothesis draws is the same in each run; ``--thorough`` looks elsewhere each time.

    How long an example takes is never a failure: that is the machine's affair.
    """
    patient: dict[str, Any] = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
    settings.register_profile("repeatable", derandomize=True, **patient)
    # what isn't named is taken from the profile in force: the doctor's, of which each run is the same
    settings.register_profile("thorough", derandomize=False, print_blob=True, **patient)
    settings.load_profile("thorough" if config.getoption("thorough") else "repeatable")


def pytest_collection_finish() -> None:
    gc.freeze()


@pytest.fixture
def thorough(request: pytest.FixtureRequest) -> bool:
    """Whether a test that can do more of the same should."""
    return bool(request.config.getoption("thorough"))


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(autouse=True, scope="session")
def _offline() -> None:
    """No test fetches data from the world; those of fetching have a server of their own."""
    os.environ["TREINO_OFFLINE"] = "1"


@pytest.fixture(autouse=True, scope="session")
def _english() -> None:
    """The tests read English, whatever this machine speaks; so do the processes that they start."""
    from treino.base import words

    words.use("en")


@pytest.fixture(autouse=True, scope="session")
def _browser() -> Iterator[None]:
    """The browser that the tests of a process share ends with them."""
    yield
    end_browser()


@pytest.fixture(autouse=True)
def _our_defects(monkeypatch: pytest.MonkeyPatch) -> None:
    """What fails after a training becomes a note; a mistake of our own code there must not hide in one."""
    from treino.folders import stored_folder

    reason = stored_folder._reason

    def strict(error: BaseException) -> str:
        if isinstance(error, (AttributeError, KeyError, NameError, TypeError)):
            raise error
        return reason(error)

    monkeypatch.setattr(stored_folder, "_reason", strict)


@dataclass(frozen=True)
class Said:
    """What a command answered."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """stdout as the one JSON document that it must be."""
        found = json.loads(self.out)
        assert isinstance(found, dict)
        return found


def refusal_of(act: Callable[..., object], *given: Any, **named: Any) -> Any:
    """The refusal of a call, which always says what to do next."""
    from treino.base.errors import TreinoError

    with pytest.raises(TreinoError) as error:
        act(*given, **named)
    assert error.value.hint
    return error.value


Treino = Callable[..., Said]


@pytest.fixture
def nets(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The networks of the module's NETS, as the file nets.py of the folder it works in."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "nets.py"
    path.write_text(request.module.NETS)
    return path


@pytest.fixture
def treino(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Treino:
    """``treino("train", "wine")`` in an empty folder of its own; skips what needs an app that is not here."""
    from treino.base.apps import entries, installed
    from treino.cli import main

    monkeypatch.chdir(tmp_path)
    absent = {verb for verb in entries("treino.verbs") if not installed(verb)}

    def call(*argv: object) -> Said:
        if gone := absent & {str(a) for a in argv[:3]}:
            pytest.skip(f"needs the app of {', '.join(gone)}")
        capfd.readouterr()
        status = main([str(a) for a in argv])
        out, err = capfd.readouterr()
        return Said(status, out, err)

    return call


def mnist_folder() -> Path | None:
    """Where the MNIST files are, or None."""
    folder = Path(os.environ.get("TREINO_DATA", "")) / "mnist"
    return folder if "TREINO_DATA" in os.environ and folder.is_dir() else None


needs_mnist = pytest.mark.skipif(mnist_folder() is None, reason="needs MNIST's files in $TREINO_DATA/mnist")
