"""nll_loss on something else than log-probabilities."""

import ast
from collections.abc import Iterable

from treino.diagnosis.finding import Evidence, Site
from treino.diagnosis.rule import Rule
from treino.diagnosis.watch.loss_seen import LossSeen
from treino.diagnosis.watch.seen import Seen
from treino.diagnosis.where.edit import loss_input, taken
from treino.diagnosis.where.settings import word
from treino.diagnosis.where.source import calls, function, module, name_of, names, written_on
from treino.diagnosis.where.source import place as line_of
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
        yield Evidence(place(loss, seen, several=len(lines) > 1), loss.site, numbers)


def place(loss: LossSeen, seen: Seen, *, several: bool) -> Site | None:
    """Where a loss was chosen that wants logarithms; or where its input was made, or is returned.

    several: losses, on several lines, that are given the same.
    """
    chosen = word(loss.site, "nll_loss", "nllloss", "nll", texts=True)
    if chosen != loss.site:
        return chosen
    if not loss.figure and _scores(loss.site):
        return loss.site
    softmax = (
        loss_input(loss.site, lambda node: bool(calls(node, "softmax", "Softmax"))) if loss.figure else None
    )
    made = loss.source_at or softmax or loss.site
    if loss.source == "softmax":
        return taken(made, loss.callers, "softmax")
    if several and made == loss.site and not loss.figure:
        return _returned(loss, seen) or made
    return made


def _scores(site: Site | None) -> bool:
    """Whether what a loss is given is taken for scores elsewhere too: ``log_softmax(z / T, 1)``."""
    own = set().union(*(names(c.args[0]) for c in calls(written_on(site), "nll_loss") if c.args))
    others = (
        calls(function(site), "softmax", "log_softmax", "cross_entropy") if site is not None and own else []
    )
    return any(own & names(c.args[0]) for c in others if c.args)


def _turned(site: Site | None) -> bool:
    """Whether a loss's value is turned on its line, ``-nll_loss(p, y)``, ``1 + nll_loss(p, y)``."""
    for node in (n for said in written_on(site) for n in ast.walk(said)):
        parts = [node.operand] if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) else []
        if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Sub)):
            parts = [node.left, node.right]
        if any(len(c.args) > 1 or "nll" in name_of(c).lower() for p in parts for c in calls(p)):
            return True
    return False


def _returned(loss: LossSeen, seen: Seen) -> Site | None:
    """The last line of the only trained net's ``forward``, if that returns."""
    trained = {n.name for n in seen.nets if n.trained}
    nodes = ast.walk(module(loss.site.file)) if loss.site is not None and len(trained) == 1 else ()
    for owner in (n for n in nodes if isinstance(n, ast.ClassDef) and n.name in trained):
        for method in owner.body:
            if isinstance(method, ast.FunctionDef) and method.name == "forward" and loss.site is not None:
                last = method.body[-1]
                return line_of(loss.site.file, last) if isinstance(last, ast.Return) else None
    return None


RULE = Rule(
    id="nll_without_log_softmax",
    group="losses",
    severity="wrong",
    certain=True,
    watches=("losses",),
    decide=decide,
    early=True,
    message=N_("nll_loss got values that are no log-probabilities ({calls} calls; they come from {source})."),
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
