"""What a rule of the log is: its decision, where to edit, and the words of the rule of the same id."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from treino.diagnosis import rule
from treino.diagnosis.finding import Finding, Site
from treino.diagnosis.record.log import Log


@dataclass(frozen=True)
class Evidence:
    """What a decision returns: that it is so, by which numbers, and where it happened.

    seen: the line where it happened. at: the line that the record itself blames, where that is another one
    (the softmax, the constructor). stack: the own lines that led to ``at``, or to ``seen``, innermost first.
    sites: further lines that the placement needs, by name.
    numbers: plain values (int, float, str); they fill in the rule's sentences.
    """

    seen: Site | None
    numbers: dict[str, Any] = field(default_factory=dict)
    at: Site | None = None
    stack: tuple[Site, ...] = ()
    sites: dict[str, Site | None] = field(default_factory=dict)


def as_recorded(evidence: Evidence) -> Site | None:
    """The line that the record blames."""
    return evidence.at or evidence.seen


@dataclass(frozen=True)
class Rule:
    """One fault that the log tells of.

    words: the rule's id, its sentences and its two examples, as the rule of the tables has them.
    decide: a pure function of the log; yields one Evidence for each fault.
    place: the line that a person would edit, asked after the run only.
    """

    words: rule.Rule
    decide: Callable[[Log], Iterable[Evidence]]
    place: Callable[[Evidence], Site | None] = as_recorded

    def finding(self, evidence: Evidence) -> Finding:
        """The evidence in this rule's words, at the line to edit."""
        place = self.place(evidence) or as_recorded(evidence)
        return self.words.finding(place, evidence.seen, evidence.numbers)
