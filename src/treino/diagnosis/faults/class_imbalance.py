"""A rare class that the net has given up."""

from collections.abc import Iterable

from treino.diagnosis.faults.rule import Evidence, Rule
from treino.diagnosis.finding import Site
from treino.diagnosis.record.log import Log, LossCall
from treino.diagnosis.rules.class_imbalance import RULE as WORDS

LEAST = 20  # calls, and ROWS in them
ROWS = 100
COMMON = 0.75  # of the rows: the share of the most common class
RARE = 0.3  # of an even share
THERE = 4  # rows of the rare class in the newest calls
FOUND = 0.1  # of them, that the net says
NEWEST = 24  # calls
# Where nothing is learned at all, no class is found.
STANDSTILL = (
    *("weight_decay_too_high", "lr_too_high", "lr_too_low", "clip_too_small", "dead_relu"),
    *("vanishing_gradient", "symmetric_init", "exploding_sum_loss", "params_not_in_optimizer"),
)


def decide(log: Log) -> Iterable[Evidence]:
    """A class is rare, nothing favours it, and the newest batches' predictions never find it."""
    lines: dict[Site | None, list[LossCall]] = {}
    for c in log.of(LossCall):
        if c.trained and c.labels and not c.error:
            lines.setdefault(c.site, []).append(c)
    for calls in lines.values():
        total = counted(calls, "labels")
        rows = sum(total.values())
        classes = 2 if calls[0].name.startswith("binary") else calls[0].input_shape[1]
        if len(calls) < LEAST or rows < ROWS or not 2 <= classes <= 20 or calls[-1].reduction == "none":
            continue
        if favours(calls[-1], total) or max(total.values()) < COMMON * rows:
            continue
        new = counted(calls[-NEWEST:], "labels")
        right = counted(calls[-NEWEST:], "right")
        for label, n in sorted(total.items(), key=lambda item: item[1]):
            there = new.get(label, 0)
            if n < RARE / classes * rows and there >= THERE and right.get(label, 0) < FOUND * there:
                numbers = {
                    "label": label,
                    "share": n / rows,
                    "found": right.get(label, 0),
                    "there": there,
                }
                yield Evidence(calls[-1].site, numbers, at=calls[-1].made_at, stack=calls[-1].stack)
                return


def favours(call: LossCall, total: dict[int, int]) -> bool:
    """Whether the loss weighs rare classes more than the common one."""
    weights = call.weights
    if not weights:
        return False
    if call.name.startswith("binary"):
        return len(weights) != 1 or weights[0] > 1
    common = max(total, key=lambda k: total[k])
    if max(total) >= len(weights):
        return True
    return any(weights[k] > weights[common] for k in total)


def counted(calls: list[LossCall], name: str) -> dict[int, int]:
    """The sum of a table of counts over calls."""
    found: dict[int, int] = {}
    for c in calls:
        for k, n in getattr(c, name).items():
            found[k] = found.get(k, 0) + n
    return found


RULE = Rule(WORDS, decide)
