"""Evaluation with dropout or batch norm in training mode."""

import ast
from collections.abc import Iterable

from treino.diagnosis.finding import Evidence, Site
from treino.diagnosis.reading.dropout_flags import held_plainly
from treino.diagnosis.reading.source import bare_line, called, enclosing, function_of, statement_at
from treino.diagnosis.rule import Rule
from treino.diagnosis.watch.seen import CallSeen, Seen
from treino.diagnosis.watch.tables import DataSeen
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
                place = held_plainly(drops.file, call.net.name) if apart else None
                yield Evidence(place or drops, call.site, {"calls": judged, "layers": "F.dropout"})
        elif call.judged_in_train_mode >= 1 and known and not skipped:
            numbers = {"calls": call.judged_in_train_mode, "layers": ", ".join(call.net.modal_kinds)}
            place = call.eval_site or _set_to_train(call, seen.calls)
            place = place or other_mode(call.site) or bare_line(call.judged_by, "eval")
            place = place or _place(call, seen.calls)
            yield Evidence(place, call.site, numbers)


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


def _place(call: CallSeen, calls: list[CallSeen]) -> Site | None:
    """The line of the evaluation: where a helper calls the net for training too, or rightly judges other
    nets, the line that calls it.
    """
    around = function_of(call.site) if call.site is not None else None
    if around is None or called(around, "backward"):
        named = called(around, "train") if around is not None else []
        modes = [c for c in named if isinstance(c.func, ast.Attribute)]
        asked = [c for c in modes if c.args and not isinstance(c.args[0], ast.Constant)]
        both = isinstance(around, ast.FunctionDef) and call.trained > 0  # one function for both phases
        if call.site is not None and len(modes) == 1 and (asked or both):  # model.train(phase == "training")
            return Site(call.site.file, modes[0].lineno)
        return call.site
    others = (c for c in calls if c.site == call.site and c.net is not call.net)
    if call.site is not None and any(c.judged > c.judged_in_train_mode for c in others):
        return next((s for s in call.judged_by if s.line != call.site.line), call.site)
    above = _above_sweep(call, {s for c in calls if c.net is call.net for s in c.trained_by})
    return above or next((s for s in call.judged_by if s not in call.trained_by), call.site)


def _above_sweep(call: CallSeen, trained: set[Site]) -> Site | None:
    """Where a loop is asked to evaluate that goes over batches for training as well, and is told what to do
    with each: ``self.sweep(loader, self.score_batch)``.
    """
    led = list(call.judged_by)
    outer = led[1:]
    if not outer or led[0] in trained or outer[0] not in trained:
        return None
    loops = [n for n in enclosing(outer[0]) if isinstance(n, ast.For)]
    batches = bool(loops) and not called(loops[-1].iter, "range")
    return next((s for s in outer if s not in trained), None) if batches else None


def _set_to_train(call: CallSeen, calls: list[CallSeen]) -> Site | None:
    """The line that sets the net to training in the very function that only evaluates it; or between the
    training and the evaluation, if both are in one.
    """
    learned = call.net.trained_at
    mine = (s for c in calls if c.net is call.net for s in (*c.trained_by, learned))
    trains = {function_of(s) for s in mine if s is not None}
    names = [f.name for f in trains if isinstance(f, ast.FunctionDef)]
    after = _left_training(call) if call.site is not None and function_of(call.site) not in trains else None
    if after is not None:
        return after
    for site in call.judged_by[:2] or (call.site,):
        around = function_of(site) if site is not None else None
        if site is None or around is None:
            continue
        lines = [s.line for s in call.net.train_at if s.line <= site.line and function_of(s) is around]
        helped = any(isinstance(c.func, ast.Name) for c in called(around, *names))
        if around in trains or helped or called(around, "backward"):
            if site != call.site or learned is None or function_of(learned) is not around:
                return None
            evals = [c.lineno for c in called(around, "eval") if learned.line < c.lineno < site.line]
            lines = [line for line in lines if learned.line < line and not evals]
        if lines:
            return Site(site.file, max(lines), site.function)
    return None


def _left_training(call: CallSeen) -> Site | None:
    """The line that sets the net to training where its training is over, in the function that trained it."""
    learned = call.net.trained_at
    around = function_of(learned) if learned is not None else None
    if learned is None or around is None:
        return None
    loops = (n for n in enclosing(learned) if isinstance(n, (ast.For, ast.While)))
    over = max((n.end_lineno or 0 for n in loops), default=learned.line)
    lines = [s for s in call.net.train_at if s.line > over and function_of(s) is around]
    evals = [c.lineno for c in called(around, "eval")]
    return next((s for s in lines if not any(line > s.line for line in evals)), None)


def other_mode(site: Site | None) -> Site | None:
    """The line before a net's call, in the same function, that sets the mode of a net which isn't used there:
    ``teacher.eval()`` before ``net(x)``; or that names ``net.eval`` without calling it.
    """
    around = function_of(site) if site is not None else None
    statement = statement_at(site) if site is not None else None
    if site is None or statement is None or not isinstance(around, ast.FunctionDef):
        return None
    used = {ast.unparse(c.func) for c in ast.walk(around) if isinstance(c, ast.Call)}
    used |= {u.rpartition(".")[0] for u in used if u.rpartition(".")[2] not in ("eval", "train")}
    handed = {ast.unparse(a) for c in ast.walk(around) if isinstance(c, ast.Call) for a in c.args}
    lines: list[int] = []
    twice: set[str] = set()
    for node in (n for n in ast.walk(around) if isinstance(n, ast.Expr)):
        call = node.value
        named = call.func if isinstance(call, ast.Call) else call
        if not isinstance(named, ast.Attribute) or named.attr != "eval" or node.lineno >= site.line:
            continue
        of = ast.unparse(named.value)
        other = isinstance(call, ast.Call) and of not in used | handed | {"self", "torch", "nn"}
        again = of in twice and not called(around, "train")  # meant for another net
        twice.add(of)
        if other or again or call is named:
            lines.append(node.lineno)
    return Site(site.file, lines[-1], site.function) if lines and not called(around, "backward") else None


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
