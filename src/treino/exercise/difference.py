"""A difference between the learner's training and the engine's, and its message."""

from dataclasses import dataclass

from treino.escaping import escape
from treino.exercise.call_recording import Pass


@dataclass(frozen=True)
class Difference:
    """The first difference.

    rule: its stable name. mode, epoch, step: where, counted from 1 (step 0: the call as a whole). message:
    what was seen, with numbers. why: what it comes from. hint: the change to make. yours, engine: the two
    numbers, where it is one of numbers.
    """

    rule: str
    mode: str
    epoch: int
    step: int
    message: str
    why: str
    hint: str
    yours: float | None = None
    engine: float | None = None

    def __str__(self) -> str:
        return "\n".join(escape(line) for line in (self.message, self.why, self.hint) if line)


def named(
    done: Pass,
    step: int,
    rule: str,
    message: str,
    why: str,
    hint: str,
    yours: float | None = None,
    engine: float | None = None,
) -> Difference:
    """A difference in this call of the function."""
    return Difference(rule, done.mode, done.epoch + 1, step, message, why, hint, yours, engine)
