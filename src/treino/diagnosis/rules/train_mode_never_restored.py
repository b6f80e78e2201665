"""Training that goes on in eval mode after an evaluation, or begins in it."""

import ast
from collections.abc import Iterable

from treino.diagnosis.finding import Evidence, Site
from treino.diagnosis.reading.source import called, function_of, loop_around, names_in, tree
from treino.diagnosis.rule import Rule
from treino.diagnosis.watch.seen import Seen
from treino.words import N_


def decide(seen: Seen) -> Iterable[Evidence]:
    """eval() was called, and steps were then taken on the net's outputs in eval mode: after an evaluation, or
    from the first one on, of a net that was made anew.
    """
    for net in seen.nets:
        if net.trained_in_eval >= 3:
            numbers = {"steps": net.trained_in_eval, "net": net.name, "layers": ", ".join(net.modal_kinds)}
            restores = net.eval_at is not None and "training" in names_in(function_of(net.eval_at))
            once = None if restores else _set_once(net.trained_at)
            yield Evidence(once or net.eval_at, net.trained_at, numbers)


def _set_once(trained: Site | None) -> Site | None:
    """The only line of a file that sets a net to training, if it stands before the loops: in no function
    that is called in one.
    """
    module = tree(trained.file) if trained is not None else None
    modes = [c for c in called(module, "train") if _sets(c)] if module is not None else []
    if trained is None or len(modes) != 1:
        return None
    site = Site(trained.file, modes[0].lineno)
    around = function_of(site)
    calls = called(module, around.name) if module is not None and isinstance(around, ast.FunctionDef) else []
    again = any(loop_around(Site(site.file, c.lineno)) is not None for c in calls)
    return site if loop_around(site) is None and not again else None


def _sets(call: ast.Call) -> bool:
    """``net.train()``, ``net.train(True)``: not ``train(False)``, nor a function that trains."""
    given = [*call.args, *(k.value for k in call.keywords)]
    plain = all(isinstance(a, ast.Constant) and a.value is True for a in given) and len(given) < 2
    return isinstance(call.func, ast.Attribute) and plain


RULE = Rule(
    id="train_mode_never_restored",
    group="modes",
    severity="wrong",
    certain=True,
    watches=("nets",),
    decide=decide,
    message=N_("{net} was set to eval, and {steps} steps were then trained in eval mode ({layers})."),
    why=N_(
        "In eval mode dropout is off and batch norm uses its stored statistics, which no longer follow the "
        "weights. What is trained so is another network than the one that was written."
    ),
    fix=N_("Call model.train() at the head of every epoch (or right after the evaluation)."),
    wrong="""\
net = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Dropout(), nn.Linear(16, 3))
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(10):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x[:200]), y[:200])
    loss.backward()
    optimizer.step()
    net.eval()
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
    cost=N_("shares the calls of nets with missing_eval"),
)
