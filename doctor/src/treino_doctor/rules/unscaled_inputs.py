"""Inputs of very different scales, and a loss that stays at a constant."""

import math

from treino_doctor.places.placement import converts, maker
from treino_doctor.record.row_log import RowsTrained
from treino_doctor.rules.course import training
from treino_doctor.rules.rule import NEVER_LEARNS, Evidence, Faults, Log, Rule, script

LEAST = 12  # minimum number of calls
LARGE, APART = 100.0, 50.0  # largest number, ratio of deviations: columns are uneven if both are exceeded
HUGE = 1000.0  # largest number: columns are uneven if it is exceeded, whatever the deviations
BYTES = 20.0  # median deviation of columns from 0 to 255
NEAR = 0.95  # times a constant prediction's loss


def decide(log: Log) -> Faults:
    """Columns in the hundreds or worse beside small ones, and a loss that ends no better than a constant."""
    end = training(log)
    if end is None or not end.known or not math.isfinite(end.values[0]):
        return
    for t in log.of(RowsTrained):
        if t.calls < LEAST or not t.floating or t.made or not math.isfinite(t.largest):
            continue
        if math.isfinite(t.entering) and t.entering <= LARGE:
            continue  # the net scales them itself
        uneven = t.largest > HUGE or (t.largest > LARGE and (t.spread > APART or t.middle > BYTES))
        if uneven and end.stuck(NEAR):
            numbers = {"largest": t.largest, "spread": t.spread, "loss": end.last(), "constant": end.constant}
            yield Evidence(t.site, numbers, stack=t.stack, sites={"loader": t.loader})
            return


UNEVEN = "x = x * torch.tensor([1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 3000.0])\n"

RULE = Rule(
    group="data",
    certain=False,
    unless=NEVER_LEARNS,
    place=lambda e: maker(e.seen, converts, e.sites["loader"], e.stack),  # where they became numbers
    message="""Inputs reach {largest} and their columns differ {spread} times in scale; the loss ends at
    {loss}, a constant gets {constant}.""",
    why="""The largest column decides the output and the gradient, and the others hardly count. A rate that
    suits one column is wildly wrong for another.""",
    fix="Standardise each column with the training rows' mean and deviation.",
    safety="Safe; the best rate changes.",
    limits="Told only while the loss stays near that of a constant answer.",
    wrong=UNEVEN + script(steps=40),
    mend={UNEVEN: ""},
)
