"""A rule: its decision, the line to edit, its sentences, the safety of its fix, and two examples.

Rules import from this module what nearly all of them need: the log, lines, events by line, and the code
that their examples share.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, TypeVar

from treino_doctor.base.words import _, numeral
from treino_doctor.finding import Finding, Severity
from treino_doctor.finding import Site as Site
from treino_doctor.record.log import Event
from treino_doctor.record.log import Log as Log

T = TypeVar("T")
S = TypeVar("S")
E = TypeVar("E", bound=Event)
K = TypeVar("K", bound=Hashable)
Group = Literal["gradients", "losses", "modes", "data", "settings"]

# Faults that keep a training from learning, and so explain anything else that is wrong with its loss.
NO_STEPS = ("missing_zero_grad", "no_step", "grad_cleared_before_step", "detached_loss")
NEVER_LEARNS = (*NO_STEPS, "nan_inputs", "uninitialised_tensor", "targets_out_of_reach")
# The same, and what leaves the loss at chance.
AT_CHANCE = ("symmetric_init", "label_misaligned", "unscaled_inputs", "lr_too_high", "weight_decay_too_high")
STAYS_AT_CHANCE = (*NEVER_LEARNS, *AT_CHANCE)
# Faults that never let it learn, and what keeps it from learning much.
SQUASHED = ("softmax_before_cross_entropy", "sigmoid_before_bce_with_logits")
SHRUNK = ("vanishing_gradient", "clip_too_small", "weight_decay_too_high")
LEARNS_LITTLE = (*NEVER_LEARNS, *SQUASHED, *SHRUNK, "dead_relu", "symmetric_init", "params_not_in_optimizer")


@dataclass(frozen=True)
class Evidence:
    """What ``Rule.decide`` yields for a fault: the numbers that show it, and where it happened.

    seen: the line where it happened. at: the line that the recorder blames, if it is another one (the
    softmax, the constructor). stack: lines of the user's code that led to ``at``, or to ``seen``, innermost
    first. sites: further lines that ``Rule.place`` needs, by name.
    numbers: plain values (int, float, str); they fill in the rule's sentences.
    """

    seen: Site | None
    numbers: dict[str, Any] = field(default_factory=dict)
    at: Site | None = None
    stack: tuple[Site, ...] = ()
    sites: dict[str, Site | None] = field(default_factory=dict)


class Note(NamedTuple):
    """What may be intended, in words: a sentence with the ``{place}`` of its line, and with these values."""

    sentence: str
    site: Site
    values: dict[str, Any]


def as_recorded(evidence: Evidence) -> Site | None:
    """The line that the recorder blames."""
    return evidence.at or evidence.seen


Faults = Iterable[Evidence]


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One fault that the doctor can find.

    Each file of this folder defines one, as RULE. The registry fills in its id, which is the file's name, and
    the file's functions ``decide``, ``place`` and ``note``, if the file has them; it joins a text's lines.

    id: stable; users write it in ``# doctor: ignore id, reason``.
    certain: proven from state (graph, versions, shapes, hashes); otherwise a cause and a measured symptom.
    decide: a pure function of the log; yields one Evidence for each fault.
    place: returns the line to edit; called only after the run.
    message, why, fix: sentences, which are translated; the evidence's numbers replace ``{names}``.
    wrong: a few lines that show the fault. mend: text that occurs once in ``wrong`` -> its correct
    replacement. Tests run both examples after ``PRELUDE``.
    safety: what else the fix changes. limits: what the rule can't see. Both are for the documentation.
    early: may be reported before the script has ended.
    unless: rules whose findings explain this one, which is then left out.
    note: returns a note instead of a finding if the source shows that this may be intended.
    """

    group: Group
    severity: Severity = "wrong"
    certain: bool = True
    message: str
    why: str
    fix: str
    safety: str
    limits: str
    wrong: str
    mend: Mapping[str, str]
    id: str = ""
    early: bool = False
    unless: tuple[str, ...] = ()
    decide: Callable[[Log], Faults] = lambda log: ()
    place: Callable[[Evidence], Site | None] = as_recorded
    note: Callable[[Evidence], Note | None] | None = None

    @property
    def right(self) -> str:
        """The corrected example."""
        lines = self.wrong
        for old, new in self.mend.items():
            lines = lines.replace(old, new)
        return lines

    def finding(self, evidence: Evidence) -> Finding:
        """A fault in this rule's words, at the line to edit."""
        place, numbers = self.place(evidence) or as_recorded(evidence), evidence.numbers
        texts = {k: numeral(v) if isinstance(v, float) else v for k, v in numbers.items()}
        typed = {k: f"{v:.4g}" if isinstance(v, float) else v for k, v in numbers.items()}
        return Finding(
            rule=self.id,
            severity=self.severity,
            certain=self.certain,
            message=_(self.message).format(**texts),
            why=_(self.why).format(**texts),
            file=None if place is None else place.file,
            line=None if place is None else place.line,
            seen=evidence.seen,
            evidence=dict(numbers),
            fix=_(self.fix).format(**typed),
        )


def by_line(events: Iterable[T], line: Callable[[T], K]) -> dict[K, list[T]]:
    """Group events by their line, or by any other key that ``line`` returns for each."""
    groups: dict[K, list[T]] = {}
    for event in events:
        groups.setdefault(line(event), []).append(event)
    return groups


def shown(
    events: Iterable[E], what: Callable[[E], S | None], key: Callable[[E], Hashable] = lambda e: e.site
) -> Iterator[tuple[E, S, dict[str, Any]]]:
    """For each line, or other key: the newest event that shows a fault, what ``what`` says of it, and the
    numbers of those that do and of all looked at. Lines of which it says nothing are left out."""
    for own in by_line(events, key).values():
        made = [(event, said) for event in own if (said := what(event))]
        if made:
            yield *made[-1], {"calls": len(made), "looked": len(own)}


def median(values: Iterable[float]) -> float:
    """The middle value. Python's ``statistics`` may be a file of the script's folder."""
    ordered = sorted(values)
    return (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2


# ---- code of the examples

PRELUDE = """\
import torch
from torch import nn
from torch.nn import functional as F

torch.manual_seed(0)
x = torch.randn(240, 8)
y = (x[:, 0] > 0).long() + (x[:, 1] > 0.5).long()  # three classes
"""

SPLIT = "x_train, y_train, x_test, y_test = x[:180], y[:180], x[180:], y[180:]\n"

CLEAR, STEP = "    optimizer.zero_grad()\n", "    optimizer.step()\n"  # lines of ``script``
DEEP = "nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 3))"
WITH_DROPOUT = "nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Dropout(), nn.Linear(16, 3))"
ON_ALL = "F.cross_entropy(net(x), y)"
ON_PART = "F.cross_entropy(net(x[:200]), y[:200])"

JUDGED = """\
    with torch.no_grad():
        accuracy = (net(x[200:]).argmax(1) == y[200:]).float().mean()
"""


def script(
    net: str = "nn.Linear(8, 3)", loss: str = ON_ALL, settings: str = "lr=0.1", steps: int = 10
) -> str:
    """A correct script that trains a net by a loss."""
    return f"""\
net = {net}
optimizer = torch.optim.SGD(net.parameters(), {settings})
for step in range({steps}):
    optimizer.zero_grad()
    loss = {loss}
    loss.backward()
    optimizer.step()
"""


VALIDATED = SPLIT.replace("test", "val") + "lowest = float('inf')\n"
VALIDATED += script(loss="F.cross_entropy(net(x_train), y_train)")
VALIDATED += """\
    with torch.no_grad():
        validation_loss = F.cross_entropy(net(x_val), y_val).item()
"""
HELD_OUT = script(loss="F.cross_entropy(net(x_train), y_train)", settings="lr=0.5", steps=40)
HELD_OUT += """\
with torch.no_grad():
    accuracy = (net(x_test).argmax(1) == y_test).float().mean()
"""
