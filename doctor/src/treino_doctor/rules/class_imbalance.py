"""A rare class that the net never predicts."""

from treino_doctor.record.log import LossCall
from treino_doctor.rules.course import counted, training
from treino_doctor.rules.rule import LEARNS_LITTLE, Evidence, Faults, Log, Rule, by_line, script

LEAST = 20  # minimum number of calls; ROWS: minimum number of rows in them
ROWS = 100
COMMON = 0.75  # minimum share of the most common class
RARE = 0.3  # times an even share: a class with less is rare
THERE = 4  # minimum number of rows of the rare class in the newest calls
FOUND = 0.1  # share of these rows that the net predicts. Chosen, not measured, like the values above
LEARNED = 0.85  # times a constant prediction's loss: nets that gave up 0.87 to 3, one that ranks well 0.83
CLASSES = 20  # maximum number; with more classes, none is common
NEWEST = 24  # newest calls


def decide(log: Log) -> Faults:
    """A class is rare, the loss doesn't favour it, and the newest batches' predictions never find it."""
    course = training(log)
    looked_at = [c for c in log.of(LossCall) if c.trained and c.labels and not (c.error or c.bootstrapped)]
    for calls in by_line(looked_at, lambda c: c.site).values():
        total = counted(calls, "labels")
        rows = sum(total.values())
        classes = 2 if calls[0].name.startswith("binary") else calls[0].input_shape[1]
        if len(calls) < LEAST or rows < ROWS or not 2 <= classes <= CLASSES or calls[-1].reduction == "none":
            continue
        if favours(calls[-1], total) or max(total.values()) < COMMON * rows:
            continue
        if classes == 2 and course is not None and course.known and not course.stuck(LEARNED):
            continue  # it learns probabilities, and the rare class's may be below 0.5 everywhere
        new = counted(calls[-NEWEST:], "labels")
        right = counted(calls[-NEWEST:], "right")
        for label, n in sorted(total.items(), key=lambda item: item[1]):
            there = new.get(label, 0)
            if n < RARE / classes * rows and there >= THERE and right.get(label, 0) < FOUND * there:
                numbers = {"label": label, "share": n / rows, "found": right.get(label, 0), "there": there}
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
    return max(total) >= len(weights) or any(weights[k] > weights[common] for k in total)


RULE = Rule(
    group="data",
    severity="risk",
    certain=False,
    unless=(*LEARNS_LITTLE, "bad_label_values", "lr_too_high", "lr_too_low"),
    message="""Class {label} is {share} of the rows, and the net finds {found} of {there} of them in its
    newest batches.""",
    why="""Saying the common class always is nearly right on average, so the loss hardly rewards finding the
    rare one. A high accuracy hides that it is never found.""",
    fix="""Weight the classes in the loss (weight=, pos_weight=) or sample them evenly, and look at recall or
    F1.""",
    safety="Weights move errors from the rare class to the common one: look at both.",
    limits="""Judged by the answers on training batches. If there are only two classes, it is told only while
    the loss stays near that of a constant answer: a net that ranks rows well may rightly call none of them
    rare.""",
    wrong="y = (x[:, 0] * x[:, 1] > 1.2).long()\n" + script("nn.Linear(8, 2)", steps=40),
    mend={
        "net = ": "weight = len(y) / (2 * y.bincount().float())\nnet = ",
        "F.cross_entropy(net(x), y)": "F.cross_entropy(net(x), y, weight=weight)",
    },
)
