"""One examination: record a program while it runs, then let the rules decide from the log."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from time import monotonic
from typing import Any

from treino_doctor.base.garbage_collection import no_collections
from treino_doctor.defects import attempt
from treino_doctor.finding import Finding
from treino_doctor.record.lines import forget_files
from treino_doctor.record.log import Event, Log
from treino_doctor.record.recorder import Recorder

LIVE_EVERY = 0.5  # seconds


@dataclass(frozen=True)
class Account:
    """What an examination in another process saw."""

    findings: list[Finding]
    defects: list[str]
    events: list[Event]
    steps: int
    backwards: int


class Exam:
    """Examine a program: ``with treino.doctor() as exam: ...``, then read ``exam.findings``.

    live: called with each finding of an early rule when it is first found.
    on_step: called after each optimizer step with the number of steps so far.
    heed: leave out findings that comments in the source silence.
    """

    def __init__(
        self,
        *,
        live: Callable[[Finding], None] | None = None,
        on_step: Callable[[int], None] | None = None,
        heed: bool = True,
    ) -> None:
        self.findings: list[Finding] = []
        self.defects: list[str] = []
        self._live, self._on_step, self._heed = live, on_step, heed
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
            try:
                self._tell_live(self._live)
            except Exception as error:  # the program goes on
                self._recorder.hooks.defect("live", error)
        if self._on_step is not None:
            self._on_step(steps)

    def _tell_live(self, live: Callable[[Finding], None]) -> None:
        """Report the findings of early rules that are new."""
        from treino_doctor.rules import decide

        for finding in decide(self.log, early=True, heed=self._heed)[0]:
            key = (finding.rule, finding.file, finding.line)
            if key not in self._reported_keys:
                self._reported_keys.add(key)
                live(finding)

    def start(self) -> "Exam":
        """Start recording."""
        forget_files()
        self._recorder.install()
        self._running = True
        return self

    def stop(self, *, finished: bool = True, error: str = "") -> "Exam":
        """Stop recording and let the rules decide. error: the exception that ended the program."""
        from treino_doctor.rules import decide  # only needed now

        if self._running:
            self._running = False
            self._recorder.stop(finished=finished, error=error)
            with no_collections():
                decided = partial(decide, self.log, heed=self._heed)
                self.findings, defects = attempt(self.defects, "rules", decided, ([], []))
            self.defects += [*defects, *self._recorder.hooks.defect_sentences()]
        return self

    def abandon(self) -> None:
        """Stop recording, without deciding anything."""
        self._running = False
        self._recorder.stop()

    def account(self) -> Account:
        """What this examination saw, to be taken over by one in another process."""
        return Account(self.findings, self.defects, self.log.events, self.steps, self.backwards)

    def take_over(self, account: Account) -> None:
        """Add what another process saw; its log, too, if no training was seen here."""
        from treino_doctor.rules import findings_to_report

        if not self.backwards and account.backwards:
            self.log.events[:] = account.events
            self._recorder.count_from(account.steps, account.backwards)
        every = [*self.findings, *account.findings]
        self.findings = attempt(self.defects, "rules", partial(findings_to_report, every), every)
        self.defects += account.defects

    def __enter__(self) -> "Exam":
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        self.stop(finished=error is None, error="" if kind is None else kind.__name__)


def doctor() -> Exam:
    """Watch the PyTorch code inside a ``with`` block; then ``exam.findings`` lists what is wrong.

    The program doesn't change: its numbers are bit for bit the same with and without the doctor.
    """
    return Exam()
