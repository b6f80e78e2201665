"""Which cases a run of the tests leaves out, what each case costs, and whether its mark fits that.

A case without a mark takes less than a second of processor time, its processes' included; ``pytest`` runs
it. One marked ``slow`` takes up to three, and at least half of one; ``.ci/run`` runs it, too. One marked
``release`` is run before a release, and one marked ``proof`` always: it is the shortest proof of a promise.
"""

import os
import re
import signal
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

CLEARLY_SLOW = 2.0  # seconds of a case without a mark that are told
CLEARLY_QUICK = 0.3  # seconds that a marked case takes at least
LONG = 3.0  # seconds that only a proof may take outside a release
MARKS = "release", "proof", "slow"
TICK = os.sysconf("SC_CLK_TCK")
NEEDS = re.compile(r"needs ([\w-]+)")  # as a skip's reason begins


class Costs:
    """The processor seconds of this process and of all that it started, as far as they are known.

    Those of processes that go on are read from Linux's /proc, and only where time has passed; elsewhere they
    count when the process ends.
    """

    def __init__(self) -> None:
        self._others = 0.0
        self._looked = time.monotonic()

    def now(self) -> float:
        """The seconds up to now."""
        if time.monotonic() - self._looked > 0.1:  # together, for what ends moves from the one to the other
            self._others = running(os.getpid()) + sum(os.times()[2:4])
            self._looked = time.monotonic()
        return sum(os.times()[:2]) + self._others


def running(parent: int) -> float:
    """The processor seconds of a process's descendants, and of what those have waited for."""
    total, left = 0.0, children(parent)
    while left:
        place = Path("/proc", left.pop())
        with suppress(OSError):  # it has ended
            fields = (place / "stat").read_text().rpartition(")")[2].split()
            total += sum(map(int, fields[11:15])) / TICK
            left += children(place.name)
    return total


def children(process: int | str) -> list[str]:
    """The numbers of the processes that a process started, in any of its threads, and that go on."""
    found: list[str] = []
    for place in Path(f"/proc/{process}/task").glob("*/children"):
        with suppress(OSError):  # the thread has ended
            found += place.read_text().split()
    return found


COSTS = Costs()
SHARED = pytest.StashKey[float]()  # seconds of an item that went into fixtures of several cases
BEGUN = pytest.StashKey[float]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--tiers", action="store_true", help="fail where a case's mark doesn't fit what it costs"
    )
    parser.addoption("--thorough", action="store_true", help="chance anew, and more of it: for a release")


def pytest_configure(config: pytest.Config) -> None:
    """A case that is named is run, whatever its mark. Ctrl-C is for the tests and all that they start, even
    where a shell started us in the background, with Ctrl-C ignored: that is handed on to each process."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if any("::" in name for name in config.args):
        config.option.markexpr = ""
    config.pluginmanager.register(Tiers(config), "tiers")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Of a test marked ``sampled(k)`` all but one case in k are a release's; so is a test that does more with
    ``--thorough``."""
    seen: Counter[str] = Counter()
    for item in items:
        sampled, name = item.get_closest_marker("sampled"), item.nodeid.partition("[")[0]
        left_out = sampled is not None and seen[name] % sampled.args[0] != 0
        if left_out or (config.getoption("thorough") and "thorough" in getattr(item, "fixturenames", ())):
            item.add_marker("release")
        seen[name] += 1


@pytest.hookimpl(hookwrapper=True)
def pytest_fixture_setup(fixturedef: Any, request: pytest.FixtureRequest) -> Iterator[None]:
    """What several cases share is charged to none of them."""
    item = getattr(request, "_pyfuncitem", None)
    if fixturedef.scope == "function" or item is None:
        yield
        return
    inner, begun = item.stash.get(SHARED, 0.0), COSTS.now()
    yield
    cost = COSTS.now() - begun - (item.stash.get(SHARED, 0.0) - inner)
    item.stash[SHARED] = item.stash.get(SHARED, 0.0) + cost
    name = f"{fixturedef.baseid}: the fixture {fixturedef.argname}"
    item.user_properties.append(("shared", f"{cost:.2f} {name}"))


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    item.stash[BEGUN] = COSTS.now()
    yield


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    if call.when == "teardown":
        cost = max(0.0, COSTS.now() - item.stash[BEGUN] - item.stash.get(SHARED, 0.0))
        item.user_properties.append(("processor_seconds", f"{cost:.2f}"))
    outcome: Any = yield
    refuse(outcome.get_result())


@pytest.hookimpl(hookwrapper=True)
def pytest_make_collect_report() -> Iterator[None]:
    outcome: Any = yield
    refuse(outcome.get_result())


def refuse(report: Any) -> None:
    """A skip for want of what ``TREINO_REQUIRE`` names, as in ``chromium,node,lanes,mnist``, is a failure."""
    required = [name for name in os.environ.get("TREINO_REQUIRE", "").split(",") if name]
    need = NEEDS.search(report.longrepr[2]) if report.skipped and isinstance(report.longrepr, tuple) else None
    if need and need[1].lower() in required:
        report.outcome = "failed"
        report.longrepr = f"TREINO_REQUIRE={','.join(required)}: {report.longrepr[2]}"


def misfits(costs: Iterable[tuple[str, str, float]]) -> Iterator[str]:
    """A line for each case whose mark doesn't fit, of (name, mark or "", seconds). That a mark is not needed,
    the dearest of a test's cases tells."""
    dearest: dict[tuple[str, str], float] = defaultdict(float)
    for name, mark, cost in costs:
        if not mark and cost > CLEARLY_SLOW:
            yield f"{cost:6.1f} s, without a mark: {name}"
        if mark == "slow" and cost >= LONG:
            yield f"{cost:6.1f} s, and slow where release or proof is due: {name}"
        test = name.partition("[")[0], mark
        dearest[test] = max(dearest[test], cost)
    for (name, mark), cost in dearest.items():
        if mark and cost < CLEARLY_QUICK:
            yield f"{cost:6.2f} s, and {mark}: {name}"


class Tiers:
    """What the run's last lines say, of all its processes."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.costs: list[tuple[str, str, float]] = []
        self.left: Counter[str] = Counter()

    def pytest_deselected(self, items: list[pytest.Item]) -> None:
        self.left.update(next((m for m in MARKS if item.get_closest_marker(m)), "other") for item in items)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        if hasattr(self.config, "workeroutput"):
            self.config.workeroutput["left"] = dict(self.left)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        self.left = Counter(getattr(node, "workeroutput", {}).get("left", {})) or self.left

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when != "teardown":
            return
        mark = next((m for m in MARKS if m in report.keywords), "")
        for key, text in report.user_properties:
            cost, _, name = str(text).partition(" ")
            if key == "processor_seconds" and "sampled" not in report.keywords:
                self.costs.append((report.nodeid, mark, float(cost)))
            elif key == "shared" and not mark:  # torch's import in a new process is half of what it may take
                self.costs.append((name, mark, float(cost) / 2))

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        lines = sorted(set(misfits(self.costs)), reverse=True)
        if lines:
            terminalreporter.section("marks that don't fit what a case costs")
            for line in lines:
                terminalreporter.line(line)
        skips: Counter[str] = Counter()
        for report in terminalreporter.stats.get("skipped", []):
            skips[str(report.longrepr[2]).removeprefix("Skipped: ")] += 1
        marked = [f"{count} marked {mark}" for mark, count in self.left.items() if mark in MARKS]
        if marked or skips:
            terminalreporter.section("not tried here")
            if marked:
                terminalreporter.line(f"{', '.join(marked)}: CONTRIBUTING.md says when they are run")
            for reason, count in skips.most_common():
                terminalreporter.line(f"{count} skipped: {reason}")

    @pytest.hookimpl(trylast=True, hookwrapper=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Iterator[None]:
        yield
        if self.config.getoption("tiers") and any(misfits(self.costs)):
            session.testsfailed += 1
