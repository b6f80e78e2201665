"""For all tests: one thread, and Hypothesis that repeats itself. ``not_seen.txt`` names the faults in forms
that the doctor does not see: their cases have to fail; ``not_on_torch_1.txt`` those that are skipped there.
"""

import os
import signal
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

HERE = Path(__file__).parent

paths = [str(HERE.parent / "src"), *filter(None, [os.environ.get("PYTHONPATH")])]
os.environ["PYTHONPATH"] = os.pathsep.join(paths)  # what the tests start examines by this doctor
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[name] = "1"  # here and in what the tests start: several of them share few cores

import torch  # noqa: E402

torch.set_num_threads(1)

pytest.register_assert_rewrite("examination", "zygote", "forked")

collect_ignore = ["bed", "frameworks/scripts"]  # people's scripts, whatever they are called

# How long an example takes is never a failure: that is the machine's affair.
SLOW = [HealthCheck.too_slow]
settings.register_profile("repeatable", derandomize=True, deadline=None, suppress_health_check=SLOW)
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
            item.add_marker("release")
        if OLD and name in NOT_ON_TORCH_1:
            item.add_marker(pytest.mark.skip(reason=f"torch {torch.__version__}: {NOT_ON_TORCH_1[name]}"))
    whole = {i.path.name for i in ours.values()} if not any("::" in name for name in config.args) else set()
    absent = [(case, case.partition("::")[0]) for case in (*NOT_SEEN, *NOT_ON_TORCH_1) if case not in ours]
    config.stash[STALE] = [c for c, file in absent if file in whole or not (HERE / file).exists()]


def pytest_collection_finish(session: pytest.Session) -> None:
    """The processes that fork for many cases start before the first, which would be charged with it."""
    if session.config.option.collectonly:
        return
    import forked
    import zygote

    modules = {item.module for item in session.items if HERE in item.path.parents}
    used = {getattr(value, "__module__", "") for module in modules for value in vars(module).values()}
    with tempfile.NamedTemporaryFile(suffix=".py") as empty:
        if used & {"zygote", "mutations", "same_findings"}:
            zygote.examined(Path(empty.name))
        if "forked" in used:
            forked.plain(Path(empty.name))
