"""One examination: record a program while it runs, then let the rules decide from the log."""

from collections.abc import Callable
from time import monotonic
from types import TracebackType
from typing import Any

from treino_doctor.finding import Finding
from treino_doctor.garbage_collection import no_collections
from treino_doctor.record.log import Log
from treino_doctor.record.recorder import Recorder
from treino_doctor.rules import decide

LIVE_EVERY = 0.5  # seconds


class Exam:
    """Examine a program: ``with treino.doctor() as exam: ...``, then read ``exam.findings``.

    live: called with each finding of an early rule when it is first found.
    on_step: called after each optimizer step with the number of steps so far.
    """

    def __init__(
        self, *, live: Callable[[Finding], None] | None = None, on_step: Callable[[int], None] | None = None
    ) -> None:
        self.findings: list[Finding] = []
        self.defects: list[str] = []
        self._live, self._on_step = live, on_step
        self._reported_keys: set[tuple[Any, ...]] = set()
        self._next_look = 0.0
        watching = live is not None or on_step is not None
        self._recorder = Recorder(self._stepped if watching else None)
        self._running = False

    @property
    def log(self) -> Log:
        """The events from which all findings are decided."""
        return self._recorder.log

    @property
    def steps(self) -> int:
        """Steps of all optimizers."""
        return self._recorder.gradients.steps

    @property
    def backwards(self) -> int:
        """Backward passes."""
        return self._recorder.windows.turn

    @property
    def seconds(self) -> float:
        """The approximate time that recording took."""
        return self._recorder.seconds

    def _stepped(self, steps: int) -> None:
        if self._live is not None and (now := monotonic()) >= self._next_look:
            self._next_look = now + LIVE_EVERY
            for finding in decide(self.log, early=True)[0]:
                key = (finding.rule, finding.file, finding.line)
                if key not in self._reported_keys:
                    self._reported_keys.add(key)
                    self._live(finding)
        if self._on_step is not None:
            self._on_step(steps)

    def start(self) -> "Exam":
        """Start recording."""
        self._recorder.install()
        self._running = True
        return self

    def stop(self, *, finished: bool = True, error: str = "") -> "Exam":
        """Stop recording and let the rules decide. error: the exception that ended the program."""
        if self._running:
            self._running = False
            self._recorder.stop(finished=finished, error=error)
            with no_collections():
                self.findings, self.defects = decide(self.log)
            self.defects += self._recorder.hooks.defect_sentences()
        return self

    def __enter__(self) -> "Exam":
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop(finished=error is None, error="" if kind is None else kind.__name__)


def doctor() -> Exam:
    """Watch the PyTorch code inside a ``with`` block; then ``exam.findings`` tells what is wrong with it.

    The program doesn't change: its numbers are bit for bit the same with and without the doctor.
    """
    return Exam()
