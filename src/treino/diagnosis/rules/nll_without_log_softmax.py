"""nll_loss on something else than log-probabilities."""

import ast
from collections.abc import Iterable

from treino.diagnosis.finding import Evidence, Site
from treino.diagnosis.reading.configured import chosen
from treino.diagnosis.reading.picked import mended_at
from treino.diagnosis.reading.provenance import definition
from treino.diagnosis.reading.source import call_name, called, function_of, names_in, statement_at, tree
from treino.diagnosis.rule import Rule
from treino.diagnosis.watch.loss_seen import LossSeen
from treino.diagnosis.watch.seen import Seen
from treino.words import N_


def decide(seen: Seen) -> Iterable[Evidence]:
    """By value (the exponentials don't sum to one) and by graph (no log, no scaling on purpose before it).
    For a figure without a graph by value alone: probabilities, unless their mean is asked for by a sign.
    """
    found = [f for f in seen.losses.values() if f.name == "nll_loss" and f.unnormalised]
    lines = {f.site for f in seen.losses.values() if f.name == "nll_loss"}
    trained = any(not f.figure for f in found)
    for loss in found:
        if loss.figure and (trained or _turned(loss.site)):
            continue  # told once, where it is learned
        numbers = {"calls": loss.unnormalised, "source": loss.source, "logsumexp": loss.largest}
        place = loss.source_at or (_squashed(loss.site) if loss.figure else None) or loss.site
        worded = _worded(loss.site)
        if worded is not None:
            place = worded
        elif not loss.figure and loss.site is not None and _scores(loss.site):
            place = loss.site
        elif loss.source == "softmax":
            place = mended_at(place, loss.callers, "softmax")
        elif not loss.figure and place == loss.site and (len(lines) > 1 or _logged(place)):
            place = _returned(loss, seen) or place
        yield Evidence(place, loss.site, numbers)


def _worded(site: Site | None) -> Site | None:
    """Where the word is written by which a table's loss was chosen: ``LOSSES[settings.loss](net(x), y)``."""
    statement = statement_at(site) if site is not None else None
    if statement is None or "nll" in ast.unparse(statement).lower():
        return None
    place = chosen(site, "nll_loss")
    return place if place != site else None


def _scores(site: Site) -> bool:
    """Whether what a loss is given is taken for scores elsewhere too: ``log_softmax(z / T, 1)``."""
    statement, around = statement_at(site), function_of(site)
    if statement is None or around is None:
        return False
    names = {a.id for c in called(statement, "nll_loss") for a in c.args[:1] if isinstance(a, ast.Name)}
    others = called(around, "softmax", "log_softmax", "cross_entropy") if names else []
    return any(names & names_in(a) for c in others for a in c.args[:1])


def _turned(site: Site | None) -> bool:
    """Whether a loss's value is turned on its line, ``-nll_loss(p, y)``, ``1 + nll_loss(p, y)``."""
    statement = statement_at(site) if site is not None else None
    for node in ast.walk(statement) if statement is not None else ():
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            parts = [node.operand]
        elif isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Sub)):
            parts = [node.left, node.right]
        else:
            continue
        called = [n for p in parts for n in ast.walk(p) if isinstance(n, ast.Call)]
        if any(len(c.args) > 1 or "nll" in call_name(c).lower() for c in called):
            return True
    return False


def _squashed(site: Site | None) -> Site | None:
    """The line of a softmax that made what stands on a loss's line."""
    statement = statement_at(site) if site is not None else None
    for name in sorted(names_in(statement)) if site is not None else ():
        made = definition(site, name) if site is not None else None
        if made is not None and site is not None and any("softmax" in n for n in names_in(made.value)):
            return Site(site.file, made.line, site.function)
    return None


def _logged(site: Site | None) -> bool:
    """Whether a line calls what it is given logarithms, which the net was to return."""
    named = names_in(statement_at(site)) if site is not None else set()
    return any(n.lower().startswith(("log_p", "logp")) for n in named)


def _returned(loss: LossSeen, seen: Seen) -> Site | None:
    """The last line of the net's forward: where several losses take its scores, that is one edit."""
    trained = {n.name for n in seen.nets if n.trained}
    module = tree(loss.site.file) if loss.site is not None else None
    if loss.site is None or module is None or len(trained) != 1:
        return None
    for owner in (n for n in ast.walk(module) if isinstance(n, ast.ClassDef) and n.name in trained):
        for method in owner.body:
            if isinstance(method, ast.FunctionDef) and method.name == "forward":
                last = method.body[-1]
                return Site(loss.site.file, last.lineno) if isinstance(last, ast.Return) else None
    return None


RULE = Rule(
    id="nll_without_log_softmax",
    group="losses",
    severity="wrong",
    certain=True,
    watches=("losses",),
    decide=decide,
    early=True,
    message=N_(
        "nll_loss got values that are no log-probabilities ({calls} of {looked} calls looked at; they come "
        "from {source})."
    ),
    why=N_(
        "nll_loss only picks the value at the label and turns its sign; without log-softmax before it "
        "nothing "
        "keeps the values normalised (log-sum-exp up to {logsumexp}, should be 0). The loss falls "
        "without bound "
        "while the predictions need not become better."
    ),
    fix=N_("Apply log_softmax over the class axis first, or use cross_entropy on the raw output."),
    wrong="""\
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(10):
    optimizer.zero_grad()
    loss = F.nll_loss(net(x), y)
    loss.backward()
    optimizer.step()
""",
    right="""\
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(10):
    optimizer.zero_grad()
    loss = F.nll_loss(F.log_softmax(net(x), dim=1), y)
    loss.backward()
    optimizer.step()
""",
    cost=N_("one logsumexp for the first calls whose graph has no log before the loss"),
)
