"""What becomes of each gradient: a step uses it, or it is cleared before any step can."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from treino_doctor.finding import Site
from treino_doctor.record.log import Backward, Cleared, Forward, Log, NetMade, OptimizerMade, Stepped
from treino_doctor.rules.rule import by_line

FEW_USED = 0.34  # share of a line's gradients; half may mean two losses that take turns
WASTED = 6  # minimum number of wasted gradients
BY_EPOCH = 8  # backwards for each step; with more, the step comes after the loop over batches


class Fate(NamedTuple):
    """What ended the gradients that a backward gave an optimizer: its step, that of another one that holds
    some of its weights, or a clearing; None if nothing did, or if a step may have gone by unrecorded."""

    backward: Backward
    optimizer: int
    end: Stepped | Cleared | None


def fates(log: Log) -> Iterator[Fate]:
    """Yield the fate of each backward's gradients, optimizer by optimizer, in the order of their ends."""
    held = {o.optimizer: o.parameters for o in log.of(OptimizerMade)}
    sharing = {o: {o, *(other for other in held if held[other] & own)} for o, own in held.items()}
    waiting: dict[int, list[Backward]] = {}
    for event in log.events:
        if isinstance(event, Backward):
            for optimizer in event.filled:
                waiting.setdefault(optimizer, []).append(event)
        elif isinstance(event, Stepped):
            over = sharing.get(event.optimizer, {event.optimizer})
            yield from (Fate(b, optimizer, event) for optimizer in over for b in waiting.pop(optimizer, ()))
        elif isinstance(event, Cleared):
            own = ((b, optimizer) for optimizer in event.optimizers for b in waiting.pop(optimizer, ()))
            yield from (Fate(b, optimizer, event if b.turn >= event.since else None) for b, optimizer in own)
    yield from (Fate(b, optimizer, None) for optimizer, own in waiting.items() for b in own)


@dataclass
class Turns:
    """Gradients of one optimizer: a step used them, or they were wasted. best: the largest used share of
    those of one line. cleared_at: the line that cleared most."""

    used: int
    wasted: int
    best: float
    cleared_at: Site | None

    @property
    def between(self) -> float:
        """Backwards for each step."""
        return (self.used + self.wasted) / max(1, self.used)

    @property
    def thrown_away(self) -> bool:
        """Whether, for every line that calls backward, two in three gradients or more are thrown away."""
        return self.used >= 1 and self.wasted >= WASTED and self.best < FEW_USED


def turns(log: Log) -> dict[int, Turns]:
    """The use of each optimizer's gradients, without those that another one used on shared weights."""
    own = by_line(fates(log), lambda fate: fate.optimizer)
    return {o.optimizer: _turns(own.get(o.optimizer, [])) for o in log.of(OptimizerMade)}


def _turns(own: list[Fate]) -> Turns:
    stepped = ((b, o, end) for b, o, end in own if isinstance(end, Stepped))
    used = Counter(b.site for b, o, end in stepped if end.optimizer == o)
    cleared = [(b, end) for b, _o, end in own if isinstance(end, Cleared)]
    wasted, places = Counter(b.site for b, _end in cleared), Counter(end.site for _b, end in cleared)
    shares = (used[line] / n for line, n in (used + wasted).items())
    at = places.most_common(1)[0][0] if places else None
    return Turns(used.total(), wasted.total(), max(shares, default=1.0), at)


def used_by(log: Log) -> dict[int, set[int]]:
    """The ``id`` of each backward whose gradients a step used -> the optimizers that had got them."""
    used = by_line((f for f in fates(log) if isinstance(f.end, Stepped)), lambda f: id(f.backward))
    return {backward: {f.optimizer for f in own} for backward, own in used.items()}


def trained_forwards(log: Log) -> set[int]:
    """The calls whose gradients were used in a step of an optimizer of their net; without any optimizer, all
    calls behind a backward."""
    held = {o.optimizer: o.parameters for o in log.of(OptimizerMade)}
    if not held:
        return {f for b in log.of(Backward) for f in b.forwards}
    parameters = {n.net: set(n.parameters) for n in log.of(NetMade)}
    own = {f.forward: parameters.get(f.net, set()) for f in log.of(Forward)}
    used = ((b, o) for b, o, end in fates(log) if isinstance(end, Stepped))
    return {f for b, o in used for f in b.forwards if f in own and own[f] & held.get(o, set())}
