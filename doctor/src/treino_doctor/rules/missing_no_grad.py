"""Evaluation that builds graphs that nothing uses."""

from treino_doctor.record.log import Course, Ended, Forward, Read
from treino_doctor.rules.graphs import ARRAYS
from treino_doctor.rules.judged import groups, line_of
from treino_doctor.rules.rule import ON_PART, Evidence, Faults, Log, Rule, Site, by_line, script
from treino_doctor.rules.turns import trained_forwards

CALLS = 3  # minimum number of calls with unused graphs
ROWS = 16  # minimum mean number of rows of these calls; graphs of single rows cost almost nothing
MANY = 50  # minimum number of calls of few rows after all training
LAST = 40  # minimum number of rows of a single call in eval mode


def decide(log: Log) -> Faults:
    """Evaluations of a trained net repeatedly built graphs that were never run backward; or a single one in
    eval mode, or after all training, on many rows. Detached outputs have released the graph; they count only
    if they go to NumPy again and again, each time with a wasted graph."""
    every = [group for group in groups(log) if group.evaluates]
    judged = [(c, f) for group in every for c, f in zip(group.judged, group.figures, strict=True)]
    groups_of = {c.forward: group for group in every for c in group.judged}
    cuts = ("detach", "data")
    detached = {f.site for _, f in judged if any(o.name in cuts and o.forwards for o in f.graph.operations)}
    others = (f for _, f in judged if not (isinstance(f, Read) and f.how in ARRAYS))
    freed = {f.site for f in others} & detached
    built = [call for call, figure in judged if call.grad and figure.site not in freed]
    kept = {call.site for call, figure in judged if figure.site not in detached}
    backwards = sum(len(c.values) for c in log.of(Course))
    told = set[Site | None]()
    for line, calls in by_line(built, lambda c: groups_of[c.forward].site).items():
        calls = [c for c in calls if c.site == calls[0].site]  # if several layers are called, only the first
        rows, resting = sum(c.rows for c in calls), sum(not c.training for c in calls)
        big = rows >= ROWS * len(calls) or resting >= CALLS
        often = len(calls) >= CALLS or len({c.step for c in calls}) > 1
        over = all(c.turn >= backwards for c in calls)  # no training follows
        once = rows >= LAST * len(calls) and (resting == len(calls) or over)
        if (once and calls[0].site in kept) or (big and often):
            told.add(line)
            numbers = {"calls": len(calls), "rows": rows, "trained": groups_of[calls[0].forward].trained}
            yield Evidence(line, numbers, stack=calls[0].stack)
    yield from (e for e in _written(log, backwards) if e.seen not in told)


def _written(log: Log, backwards: int) -> Faults:
    """Many calls from one line after all training, as of a text that is written word by word."""
    used, derived = trained_forwards(log), {f for r in log.of(Read) if r.how == "grad" for f in r.forwards}
    learned = [f for f in log.of(Forward) if f.forward in used]
    nets, lines = {f.net for f in learned}, {line_of(f) for f in learned}
    late = [f for f in log.of(Forward) if f.turn >= backwards and f.grad and f.net in nets]
    for line, calls in by_line(late, line_of).items():
        unused = not {f.forward for f in calls} & derived and line not in lines
        if len(calls) >= MANY and unused and any(ended.finished for ended in log.of(Ended)):
            numbers = {"calls": len(calls), "rows": sum(f.rows for f in calls)}
            yield Evidence(line, numbers, stack=calls[0].stack)


RULE = Rule(
    group="modes",
    severity="waste",
    message="""{calls} of the evaluations looked at ({rows} {rows:row|rows}) recorded a graph that was never
    used.""",
    why="""Outside torch.no_grad() every operation is recorded for a backward that never comes. The results
    are the same, but memory and time are spent on it.""",
    fix="Evaluate inside with torch.no_grad(): (or torch.inference_mode()).",
    safety="Safe: the same numbers, with less memory.",
    limits="""Not every evaluation is looked at: of each line the first three, and later ones now and then.
    Fifty or more calls after the end of the training, as when a text is written word by word, are always
    seen.""",
    wrong=script(loss=ON_PART) + "    accuracy = (net(x[200:]).argmax(1) == y[200:]).float().mean()\n",
    mend={"    accuracy": "    with torch.no_grad():\n        accuracy"},
)
