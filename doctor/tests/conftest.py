"""For all tests: one thread, and Hypothesis that repeats itself. ``not_seen.txt`` names the faults in forms
that the doctor does not see: their cases have to fail; ``not_on_torch_1.txt`` those that are skipped there.
"""

import os
import signal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

HERE = Path(__file__).parent

os.environ["PYTHONPATH"] = os.pathsep.join(
    [str(HERE.parent / "src"), *filter(None, [os.environ.get("PYTHONPATH")])]
)  # what the tests start examines by this doctor, whichever is installed
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[name] = "1"  # here and in what the tests start: several of them share few cores

import torch  # noqa: E402

torch.set_num_threads(1)

pytest.register_assert_rewrite("examination", "zygote", "forked")

collect_ignore = ["bed"]  # people's scripts, whatever they are called

# How long an example takes is never a failure: that is the machine's affair.
settings.register_profile(
    "repeatable", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("repeatable")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as where a shell starts us in the background
    signal.signal(signal.SIGINT, signal.default_int_handler)


STALE = pytest.StashKey[list[str]]()


def cases(name: str) -> dict[str, str]:
    """The cases of a list, each with why."""
    lines = (line.partition("  # ") for line in (HERE / name).read_text().splitlines() if line[:1] != "#")
    return {case.strip(): why for case, _mark, why in lines if case}


NOT_SEEN, NOT_ON_TORCH_1 = cases("not_seen.txt"), cases("not_on_torch_1.txt")
OLD = torch.__version__.startswith("1.")
SERVERS = {"zygote": "zygote_server", "mutations": "zygote_server", "same_findings": "zygote_server"}
SERVERS["forked"] = "forked_server"


@pytest.fixture(scope="session")
def zygote_server(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The process that forks for each script of ``zygote`` has imported what they need."""
    from zygote import examined

    path = tmp_path_factory.mktemp("zygote") / "empty.py"
    path.write_text("")
    examined(path)


@pytest.fixture(scope="session")
def forked_server(tmp_path_factory: pytest.TempPathFactory) -> None:
    """... and that of ``forked``."""
    from forked import plain

    path = tmp_path_factory.mktemp("forked") / "empty.py"
    path.write_text("")
    plain(path)


@pytest.fixture
def stale(pytestconfig: pytest.Config) -> list[str]:
    """The names in the lists that no case has, of the files that were collected as a whole."""
    return pytestconfig.stash[STALE]


@pytest.hookimpl(tryfirst=True)  # before cases are left out
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    ours = {f"{i.path.name}::{i.nodeid.partition('::')[2]}": i for i in items if HERE in i.path.parents}
    for name, item in ours.items():
        if name in NOT_SEEN:
            item.add_marker(pytest.mark.xfail(reason="a form that the doctor does not see", strict=True))
        if OLD and name in NOT_ON_TORCH_1:
            item.add_marker(pytest.mark.skip(reason=f"torch {torch.__version__}: {NOT_ON_TORCH_1[name]}"))
        used = {getattr(value, "__module__", "") for value in vars(item.module).values()}
        shared = {SERVERS[name] for name in used & SERVERS.keys()}
        item.fixturenames[:0] = sorted(shared)  # so that no case is charged with the start
    whole = {i.path.name for i in ours.values()} if not any("::" in name for name in config.args) else set()
    config.stash[STALE] = [
        case
        for case in (*NOT_SEEN, *NOT_ON_TORCH_1)
        if case not in ours
        and (case.partition("::")[0] in whole or not (HERE / case.partition("::")[0]).exists())
    ]
