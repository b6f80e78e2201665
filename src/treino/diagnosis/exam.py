"""One examination: the sensors on, a program runs, the rules decide."""

import time
from collections.abc import Callable
from types import TracebackType
from typing import Any

from treino.diagnosis.finding import Finding
from treino.diagnosis.reading.source import ignored, refresh
from treino.diagnosis.rules import findings_to_report, rules
from treino.diagnosis.watch.seen import Seen
from treino.diagnosis.watch.watch import Watch
from treino.garbage_collection import collect_later

LIVE_EVERY = 0.5  # seconds


def decide(seen: Seen, *, early: bool = False) -> tuple[list[Finding], list[str]]:
    """The findings of all rules, certain ones first, and the defects of rules that raised.

    early: only rules that may speak before the end.
    """
    findings: list[Finding] = []
    defects: list[str] = []
    refresh()
    for rule in rules().values():
        if early and not rule.early:
            continue
        try:
            findings += [
                rule.finding(evidence)
                for evidence in rule.decide(seen)
                if not (ignored(evidence.edit, rule.id) or ignored(evidence.seen, rule.id))
            ]
        except Exception as error:
            defects.append(f"{rule.id}: {type(error).__name__}: {error}")
    return findings_to_report(findings), defects


class Exam:
    """``with treino.doctor() as exam: ...``, then ``exam.findings``.

    live: called with each finding of an early rule when it is first seen.
    on_step: called with the number of optimizer steps after each of them.
    """

    def __init__(
        self, *, live: Callable[[Finding], None] | None = None, on_step: Callable[[int], None] | None = None
    ) -> None:
        self.findings: list[Finding] = []
        self.defects: list[str] = []
        self.steps = 0
        self._live, self._on_step = live, on_step
        self._said: set[tuple[Any, ...]] = set()
        self._next_look = 0.0
        watching = live is not None or on_step is not None
        self._watch = Watch(self._stepped if watching else None)
        self._running = False

    @property
    def seen(self) -> Seen:
        """The facts behind the findings."""
        return self._watch.seen

    @property
    def seconds(self) -> float:
        """About how long the sensors took (some are timed at every 16th call)."""
        return self._watch.patches.spent

    def _stepped(self, steps: int) -> None:
        if self._live is not None and (now := time.monotonic()) >= self._next_look:
            self._next_look = now + LIVE_EVERY
            for finding in decide(self.seen, early=True)[0]:
                key = (finding.rule, finding.file, finding.line)
                if key not in self._said:
                    self._said.add(key)
                    self._live(finding)
        if self._on_step is not None:
            self._on_step(steps)

    def start(self, *, without: str = "") -> "Exam":
        """Put the sensors on; ``without`` leaves one out, to measure what it costs."""
        self._watch.install(without)
        self._running = True
        return self

    def stop(self, *, finished: bool = True) -> "Exam":
        """Take the sensors off and let the rules decide."""
        if self._running:
            self._running = False
            self._watch.stop()
            self.seen.finished = finished
            self.steps = self.seen.steps
            with collect_later():
                self.findings, self.defects = decide(self.seen)
            self.defects += list(self._watch.patches.defects)
        return self

    def __enter__(self) -> "Exam":
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop(finished=error is None)


def doctor() -> Exam:
    """Watch the PyTorch code inside a ``with`` block; afterwards ``exam.findings`` says what is wrong with
    it.

    Nothing of the program changes: its numbers are the same, bit for bit, with and without.
    """
    return Exam()
