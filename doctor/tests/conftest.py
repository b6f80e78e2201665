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


def cases(name: str) -> dict[str, str]:
    """The cases of a list, each with why."""
    lines = (line.partition("  # ") for line in (HERE / name).read_text().splitlines() if line[:1] != "#")
    return {case.strip(): why for case, _mark, why in lines if case}


NOT_SEEN = cases("not_seen.txt")
OLD = cases("not_on_torch_1.txt") if torch.__version__.startswith("1.") else {}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        name = item.nodeid.rpartition("/")[2]
        if name in NOT_SEEN:
            item.add_marker(pytest.mark.xfail(reason="a form that the doctor does not see", strict=True))
        if name in OLD:
            item.add_marker(pytest.mark.skip(reason=f"torch {torch.__version__}: {OLD[name]}"))
