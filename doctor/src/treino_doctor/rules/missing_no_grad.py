"""Evaluation that builds graphs that nothing uses."""

from treino_doctor.record.log import Course
from treino_doctor.rules.judged import LEFT_OUT, groups
from treino_doctor.rules.rule import ON_PART, Evidence, Faults, Log, Rule, by_line, script

CALLS = 3  # minimum number of calls with unused graphs
ROWS = 16  # minimum mean number of rows of these calls; graphs of single rows cost almost nothing
MANY = 6  # minimum number of calls of fewer rows
LAST = 40  # minimum number of rows of a single call in eval mode


def decide(log: Log) -> Faults:
    """Calls of a trained net repeatedly built graphs through which no gradient went, whatever became of the
    answers; or a single call in eval mode, or after all training, did on many rows; or many calls did on few
    rows, as those of an agent or of a text that is written word by word."""
    every = [g for g in groups(log) if not g.targets and g.trained <= LEFT_OUT * len(g.unwalked)]
    built = [(group, call) for group in every for call in group.unwalked]
    backwards = sum(len(c.values) for c in log.of(Course))
    for line, own in by_line(built, lambda pair: pair[0].site).items():
        group, first = own[0]
        calls = [c for _group, c in own if c.site == first.site]  # the first layer, if several are called
        rows, resting = sum(c.rows for c in calls), sum(not c.training for c in calls)
        late = sum(c.turn >= backwards for c in calls)  # no training follows
        big = rows >= ROWS * len(calls) or resting >= CALLS
        often = len(calls) >= CALLS or len({c.step for c in calls}) > 1
        once = rows >= LAST * len(calls) and len(calls) in (resting, late)
        if once or (big and often) or len(calls) >= MANY:
            numbers = {"calls": len(calls), "rows": rows, "trained": group.trained}
            yield Evidence(line, numbers, stack=first.stack)


RULE = Rule(
    group="modes",
    severity="waste",
    message="""{calls} of the evaluations looked at ({rows} {rows:row|rows}) recorded a graph that was never
    used.""",
    why="""Outside torch.no_grad() every operation is recorded for a backward that never comes. The results
    are the same, but memory and time are spent on it; .detach(), .data or .item() only let go of it
    afterwards.""",
    fix="Evaluate inside with torch.no_grad(): (or torch.inference_mode()).",
    safety="Safe: the same numbers, with less memory.",
    limits="""Not every evaluation is looked at: of each line the first three, and later ones now and then. Of
    these, calls of 16 rows and more count from three on, or two with a step between; of fewer rows from six
    on, or three in eval mode. A single call counts only from 40 rows on, and only if it is in eval mode or
    after all training. Lines that training goes through as well are left alone; the line that led there is
    named instead.""",
    wrong=script(loss=ON_PART) + "    accuracy = (net(x[200:]).argmax(1) == y[200:]).float().mean()\n",
    mend={"    accuracy": "    with torch.no_grad():\n        accuracy"},
)
