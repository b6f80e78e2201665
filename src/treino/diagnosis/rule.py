"""What a rule is: its id, the sensors it needs, its decision, its words and its two examples."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from treino.diagnosis.finding import Evidence, Finding, Severity
from treino.diagnosis.watch.seen import Seen
from treino.words import _, numeral

Group = Literal["gradients", "losses", "modes", "data", "settings"]


@dataclass(frozen=True)
class Rule:
    """One fault that the doctor knows.

    id: a contract, as users write it in ``# treino: ignore[id]``.
    certain: proven from state (graph, versions, shapes, hashes); otherwise a cause and a measured symptom.
    watches: names of the facts in ``Seen`` that the decision reads; documents what the rule costs.
    decide: a pure function of what was seen; yields one Evidence for each fault.
    message, why, fix: sentences, marked with ``N_``; ``{names}`` are filled in from the evidence's numbers.
    wrong, right: a few lines that show the fault and its mend; tests run both after ``examples.PRELUDE``.
    cost: what watching it costs, in words.
    early: may be said before the script has ended.
    unless: rules whose finding explains this one, which then isn't said.
    """

    id: str
    group: Group
    severity: Severity
    certain: bool
    watches: tuple[str, ...]
    decide: Callable[[Seen], Iterable[Evidence]]
    message: str
    why: str
    fix: str
    wrong: str
    right: str
    cost: str
    early: bool = False
    unless: tuple[str, ...] = ()

    def finding(self, evidence: Evidence) -> Finding:
        """The evidence in this rule's words."""
        place = evidence.edit or evidence.seen
        numbers = {k: numeral(v, ".4g") if isinstance(v, float) else v for k, v in evidence.numbers.items()}
        typed = {k: f"{v:.4g}" if isinstance(v, float) else v for k, v in evidence.numbers.items()}
        return Finding(
            rule=self.id,
            severity=self.severity,
            certain=self.certain,
            message=_(self.message).format(**numbers),
            why=_(self.why).format(**numbers),
            file=None if place is None else place.file,
            line=None if place is None else place.line,
            seen=evidence.seen,
            evidence=dict(evidence.numbers),
            fix=_(self.fix).format(**typed),
        )
