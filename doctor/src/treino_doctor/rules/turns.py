"""The use of each gradient: a step used it, or it was cleared before any step could."""

from collections import Counter
from dataclasses import dataclass

from treino_doctor.finding import Site
from treino_doctor.record.log import Backward, Cleared, Forward, Log, NetMade, OptimizerMade, Stepped

FEW_USED = 0.34  # share of a line's gradients; half may mean two losses that take turns
WASTED = 6  # minimum number of wasted gradients
BY_EPOCH = 8  # backwards for each step; with more, the step comes after the loop over batches


@dataclass
class Turns:
    """Gradients of one optimizer: a step used them, or they were wasted. between: backwards for each step."""

    used: int = 0
    wasted: int = 0
    best: float = 1.0
    cleared_at: Site | None = None

    @property
    def between(self) -> float:
        return (self.used + self.wasted) / max(1, self.used)

    @property
    def thrown_away(self) -> bool:
        """Whether, for every line that calls backward, two in three gradients or more are thrown away."""
        return self.used >= 1 and self.wasted >= WASTED and self.best < FEW_USED


def turns(log: Log) -> dict[int, Turns]:
    """The use of each optimizer's gradients, without gradients that another optimizer used on shared weights;
    one pass over the log for all optimizers."""
    held = {o.optimizer: o.parameters for o in log.of(OptimizerMade)}
    owners: dict[int, set[int]] = {}
    for optimizer, own in held.items():
        for parameter in own:
            owners.setdefault(parameter, set()).add(optimizer)
    counts = {optimizer: _Counts() for optimizer in held}
    for event in log.events:
        if isinstance(event, Backward):
            for optimizer in event.filled:
                counts.setdefault(optimizer, _Counts()).pending.append(event.site)
        elif isinstance(event, Cleared):
            for optimizer in event.optimizers:
                count = counts.setdefault(optimizer, _Counts())
                count.wasted.update(count.pending)
                count.places[event.site] += len(count.pending)
                count.pending = []
        elif isinstance(event, Stepped):
            count = counts.setdefault(event.optimizer, _Counts())
            count.used.update(count.pending)
            for other in {event.optimizer}.union(*(owners[p] for p in held.get(event.optimizer, ()))):
                counts[other].pending = []
    return {optimizer: count.turns() for optimizer, count in counts.items()}


class _Counts:
    """The lines of one optimizer's gradients: not yet used, used, wasted; and the lines that cleared them."""

    def __init__(self) -> None:
        self.pending: list[Site | None] = []
        self.used, self.wasted, self.places = (Counter[Site | None]() for _ in range(3))

    def turns(self) -> Turns:
        """The sums of these counts."""
        used, wasted = self.used, self.wasted
        shares = [used[s] / (used[s] + wasted[s]) for s in {*used, *wasted} if used[s] + wasted[s] >= 4]
        cleared_at = self.places.most_common(1)[0][0] if self.places else None
        return Turns(sum(used.values()), sum(wasted.values()), max(shares, default=1.0), cleared_at)


def trained_forwards(log: Log) -> set[int]:
    """The calls whose gradients were used in a step of an optimizer of their net; without any optimizer, all
    calls behind a backward."""
    held = {o.optimizer: o.parameters for o in log.of(OptimizerMade)}
    parameters = {n.net: set(n.parameters) for n in log.of(NetMade)}
    nets = {f.forward: f.net for f in log.of(Forward)}
    if not held:
        return {f for b in log.of(Backward) for f in b.forwards}
    trained: set[int] = set()
    pending: dict[int, set[int]] = {o: set() for o in held}
    for event in log.events:
        if isinstance(event, Backward):
            for optimizer in event.filled:
                pending[optimizer] |= set(event.forwards)
        elif isinstance(event, Cleared):
            for optimizer in event.optimizers:
                pending[optimizer] = set()
        elif isinstance(event, Stepped):
            own = held.get(event.optimizer, set())
            used = {f for f in pending.get(event.optimizer, ()) if f in nets}
            trained |= {f for f in used if own & parameters.get(nets[f], set())}
            pending[event.optimizer] = set()
    return trained
