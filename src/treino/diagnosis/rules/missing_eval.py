"""Evaluation with dropout or batch norm in training mode."""

import ast
from collections.abc import Iterable

from treino.diagnosis.finding import Evidence, Site
from treino.diagnosis.rule import Rule
from treino.diagnosis.watch.seen import CallSeen, Seen
from treino.diagnosis.watch.tables import DataSeen
from treino.diagnosis.where.edit import kept_plainly, other_mode, uncalled
from treino.diagnosis.where.source import Function, calls, function, loops
from treino.words import N_


def decide(seen: Seen) -> Iterable[Evidence]:
    """Outputs of a trained net, of a part of it or of a copy that follows it became figures, no backward
    came, and its dropout or batch norm was training.

    A function that isn't told of the mode drops values in evaluation mode too: there it is to be mended.
    Targets (teachers, pseudo-labels), repeated forwards of the same rows, and outputs that nobody judges
    are none.
    """
    told: set[Site] = set()
    for call in seen.calls:
        skipped = call.graph_unused == call.judged and call.trained > 10 * call.judged  # batches left out
        if call.taught or _acts(call, seen.data):
            continue  # a net's own answers, to learn from these or from what they lead to
        known = call.net.trained >= 2 or call.net.by_hand or _follows(call, seen.steps)
        drops = call.net.drops_at
        if drops is not None:
            asked = call.net.drops_on_purpose or any(c.exempt for c in seen.calls if c.net is call.net)
            judged = call.judged_in_train_mode + call.judged_dropping
            apart = call.net.parts_apart and any(n.trained >= 2 for n in seen.nets)
            if judged and (known or apart) and not asked and drops not in told:
                told.add(drops)
                kept = kept_plainly(drops.file, call.net.name) if apart else None
                yield Evidence(kept or drops, call.site, {"calls": judged, "layers": "F.dropout"})
        elif call.judged_in_train_mode >= 1 and known and not skipped:
            numbers = {"calls": call.judged_in_train_mode, "layers": ", ".join(call.net.modal_kinds)}
            yield Evidence(place(call, seen.calls), call.site, numbers)


def _acts(call: CallSeen, data: DataSeen | None) -> bool:
    """Whether a net's answers for rows that are new are choices: nobody compares them with labels, and what
    it learns on is these very rows, later.
    """
    for key, e in data.evals.items() if data is not None else ():
        if data is None or e.net is not call.net or call.site not in e.names[:1]:
            continue
        learned = data.trains[key[0]].rows.keys()
        late = len(e.trained_before) < 0.02 * len(e.rows)
        if late and len(e.rows) >= 10 and not e.judged and len(e.rows & learned) > 0.9 * len(learned) > 0:
            return True
    return False


def _follows(call: CallSeen, steps: int) -> bool:
    """Whether a net that no step trains is one's copy or part, and is called here to be judged: not at every
    step, as one that gives targets.
    """
    return call.net.follows and not call.net.trained and not call.exempt and 3 * call.phases <= steps


def place(call: CallSeen, every: list[CallSeen]) -> Site | None:
    """Where a mode was set wrongly, or named and not set; or else the line of the evaluation: where a helper
    calls the net for training too, or rightly judges other nets, the line that calls it.
    """
    meant = call.eval_site or _set_to_train(call, every)
    meant = meant or other_mode(call.site) or uncalled(call.judged_by, "eval")
    if meant is not None or call.site is None:
        return meant
    inside = function(call.site)
    if not isinstance(inside, Function) or calls(inside, "backward"):
        modes = [c for c in calls(inside, "train") if isinstance(c.func, ast.Attribute)]
        asked = [c for c in modes if c.args and not isinstance(c.args[0], ast.Constant)]
        both = isinstance(inside, Function) and call.trained > 0  # one function for both phases
        if len(modes) == 1 and (asked or both):  # model.train(phase == "training")
            return Site(call.site.file, modes[0].lineno)
        return call.site
    others = (c for c in every if c.site == call.site and c.net is not call.net)
    if any(c.judged > c.judged_in_train_mode for c in others):
        return next((s for s in call.judged_by if s.line != call.site.line), call.site)
    above = _above_sweep(call, {s for c in every if c.net is call.net for s in c.trained_by})
    return above or next((s for s in call.judged_by if s not in call.trained_by), call.site)


def _above_sweep(call: CallSeen, trained: set[Site]) -> Site | None:
    """Where a loop over batches is asked to evaluate that is asked to train as well, and is told what to do
    with each: ``self.sweep(loader, self.score_batch)``.
    """
    led = list(call.judged_by)
    outer = led[1:]
    if not outer or led[0] in trained or outer[0] not in trained:
        return None
    inner = [n for n in loops(outer[0]) if isinstance(n, ast.For)]
    batches = bool(inner) and not calls(inner[-1].iter, "range")
    return next((s for s in outer if s not in trained), None) if batches else None


def _set_to_train(call: CallSeen, every: list[CallSeen]) -> Site | None:
    """The line that sets the net to training in the very function that only evaluates it; or behind the
    training, where both are in one.
    """
    learned = call.net.trained_at
    trains = {id(function(s)) for c in every if c.net is call.net for s in c.trained_by}
    trains |= {id(function(learned))} if learned is not None else set()
    site = call.judged_by[0] if call.judged_by else call.site
    if site is not None:
        inside = function(site)
        lines = [s.line for s in call.net.train_at if s.line <= site.line and function(s) is inside]
        if id(inside) in trains or calls(inside, "backward"):
            after = learned.line if learned is not None and function(learned) is inside else site.line
            evals = [c.lineno for c in calls(inside, "eval") if after < c.lineno < site.line]
            lines = [line for line in lines if after < line and not evals]
        if lines:
            return Site(site.file, max(lines), site.function)
    return _left_training(call)


def _left_training(call: CallSeen) -> Site | None:
    """The line that sets the net to training where its training is over, in the function that trained it."""
    learned = call.net.trained_at
    if learned is None or call.site is None or function(call.site) is function(learned):
        return None
    over = max((n.end_lineno or 0 for n in loops(learned)), default=learned.line)
    inside = function(learned)
    lines = [s for s in call.net.train_at if s.line > over and function(s) is inside]
    evals = [c.lineno for c in calls(inside, "eval")]
    return next((s for s in lines if not any(line > s.line for line in evals)), None)


RULE = Rule(
    id="missing_eval",
    group="modes",
    severity="wrong",
    certain=True,
    watches=("calls", "data"),
    decide=decide,
    message=N_("{calls} evaluations ran in training mode ({layers})."),
    why=N_(
        "In training mode dropout switches units off at random, and batch norm uses (and learns from) the "
        "evaluation's own batch. The figures are not those of the network that you would use."
    ),
    fix=N_("Call model.eval() before evaluating and model.train() before training on."),
    wrong="""\
net = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Dropout(), nn.Linear(16, 3))
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(10):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x[:200]), y[:200])
    loss.backward()
    optimizer.step()
    with torch.no_grad():
        accuracy = (net(x[200:]).argmax(1) == y[200:]).float().mean()
""",
    right="""\
net = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Dropout(), nn.Linear(16, 3))
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(10):
    net.train()
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x[:200]), y[:200])
    loss.backward()
    optimizer.step()
    net.eval()
    with torch.no_grad():
        accuracy = (net(x[200:]).argmax(1) == y[200:]).float().mean()
""",
    cost=N_("a few flags per call of a net, and a look at what enters losses, argmax and comparisons"),
)
