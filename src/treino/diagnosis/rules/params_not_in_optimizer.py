"""Parameters that get gradients and belong to no optimizer."""

import ast
from collections.abc import Iterable

from treino.diagnosis.finding import Evidence, Site
from treino.diagnosis.reading.groups import choosing_line, opening_line, opens_by_name, skips_first
from treino.diagnosis.reading.names import words
from treino.diagnosis.reading.places import layer_in_forward
from treino.diagnosis.reading.source import called, enclosing, function_of, names_in, statement_at, tree
from treino.diagnosis.reading.updated import moving_line
from treino.diagnosis.rule import Rule
from treino.diagnosis.watch.seen import Seen, UnownedSeen
from treino.words import N_, _

# What a part of a net is called, or done with, that only its readout learns on.
FIXED = {"random", "reservoir", "frozen", "freeze", "fixed", "pretrained", "backbone", "probe", "readout"}
FIXED |= {"elm", "extractor", "features", "transfer", "untrained", "requires", "kernel", "echo", "extreme"}

PUTS = ("setattr", "add_module", "register_module", "set_submodule")
COUNTS = {"n", "num", "size", "in", "out"}  # n_features, kernel_size


def decide(seen: Seen) -> Iterable[Evidence]:
    """Untouched random parameters in training mode, in graphs that led to steps of others.

    A readout that alone was given to the optimizer (random features) is meant so. Frozen, loaded, copied,
    averaged or hand-trained parameters, and nets in eval mode, are left alone. Where the whole graph
    belongs to no optimizer, the optimizer steps something else. Of a descent by hand, what it leaves out.
    """
    groups: dict[Site | None, list[UnownedSeen]] = {}
    for u in seen.unowned:
        optimizer = u.optimizer
        if optimizer is None or optimizer.steps < 3 or u.graphs < 2 or not u.training:
            continue
        meant = u.on_purpose and (optimizer.site is None or _says_fixed(optimizer.site.file))
        if meant and not (skips_first(optimizer.site) or opens_by_name(optimizer.site, u.name)):
            continue
        if not u.known and not (u.alone and optimizer.filled == 0):
            continue
        if u.alone and optimizer.filled:
            continue  # another network's loss: that optimizer trains on graphs of its own
        own = u.made_at if u.made_at is not None and (u.made_after or not u.registered) else None
        own = _too_late(own) if own is not None and u.made_after and u.registered else own
        if u.fresh_each_time and own is not None and own.function != "forward":
            own = layer_in_forward(own.file) or own  # what was made in forward is gone by now
        place = own or (opening_line(optimizer.site) if u.opened else choosing_line(optimizer.site))
        groups.setdefault(place, []).append(u)
    for place, members in groups.items():
        optimizer = members[0].optimizer
        assert optimizer is not None
        numbers = {
            "parameters": len(members),
            "shape": "×".join(map(str, members[0].shape)) or "1",
            "optimizer": optimizer.kind,
            "steps": optimizer.steps,
        }
        yield Evidence(place, optimizer.site, numbers)
    left = seen.manual.left_out
    if left:
        shape = "×".join(map(str, left[0].shape)) or "1"
        numbers = {"parameters": len(left), "shape": shape, "steps": left[0].updates}
        numbers["optimizer"] = _("A descent by hand")
        yield Evidence(moving_line(left[0].site), left[0].site, numbers)


def _says_fixed(path: str) -> bool:
    """Whether a file says that a part of its net is to stay as it was drawn, or loaded."""
    module = tree(path)
    names = [words(name) for name in names_in(module) if name != "random"] if module is not None else []
    said = {w for of in names if not COUNTS & set(of) for w in of}
    texts = [n.value for n in ast.walk(module) if isinstance(n, ast.Constant)] if module is not None else []
    said |= {w for text in texts if isinstance(text, str) for w in words(text)}
    return bool(said & FIXED)


def _too_late(made: Site) -> Site:
    """Where a method that makes new layers, a function that puts them into a net, or their class is called on
    one line only: too late for that optimizer.
    """
    method = function_of(made)
    module = tree(made.file)
    if module is None or not isinstance(method, ast.FunctionDef):
        return made
    owners = [n for n in enclosing(made) if isinstance(n, ast.ClassDef)]
    if any("optim" in names_in(owner) for owner in owners):
        return made  # what owns the optimizer can give it the new layer
    if method.name == "__init__":
        calls = called(module, owners[-1].name) if owners else []
        return Site(made.file, calls[0].lineno) if len(calls) == 1 else made
    inside = range(method.lineno, (method.end_lineno or method.lineno) + 1)
    calls = [c for c in called(module, method.name) if c.lineno not in inside]
    given = [a.arg for a in method.args.args]
    put = _put_into(statement_at(made)) | {n for c in called(method, *PUTS) for n in _given_first(c)}
    own = given[:1] == ["self"] or bool(put & {*given})
    return Site(made.file, calls[0].lineno) if len(calls) == 1 and own else made


def _put_into(statement: ast.AST | None) -> set[str]:
    """The names of what is given a new part: ``net.head = ...``, ``net[2] = ...``"""
    targets = statement.targets if isinstance(statement, ast.Assign) else []
    return {n for t in targets if isinstance(t, ast.Attribute | ast.Subscript) for n in names_in(t.value)}


def _given_first(call: ast.Call) -> set[str]:
    """The names in what ``setattr(net, name, layer)`` or ``net.add_module(name, layer)`` changes."""
    method = isinstance(call.func, ast.Attribute)
    return names_in(call.func.value if method else call.args[0]) if method or call.args else set()  # type: ignore[attr-defined]


RULE = Rule(
    id="params_not_in_optimizer",
    group="gradients",
    severity="wrong",
    certain=True,
    watches=("unowned", "manual"),
    decide=decide,
    message=N_(
        "{parameters} parameter tensors (the first is {shape}) get gradients but are in no optimizer."
    ),
    why=N_(
        "{optimizer} took {steps} steps on the same loss, and these parameters kept their first random "
        "values. "
        "The rest of the network has to learn around a part that never learns."
    ),
    fix=N_(
        "Give their parameters to the optimizer (and make every layer before it), or freeze them on purpose."
    ),
    wrong="""\
body, head = nn.Linear(8, 16), nn.Linear(16, 3)
optimizer = torch.optim.SGD(body.parameters(), lr=0.1)
for step in range(10):
    loss = F.cross_entropy(head(torch.relu(body(x))), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
""",
    right="""\
body, head = nn.Linear(8, 16), nn.Linear(16, 3)
optimizer = torch.optim.SGD([*body.parameters(), *head.parameters()], lr=0.1)
for step in range(10):
    loss = F.cross_entropy(head(torch.relu(body(x))), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
""",
    cost=N_("reads the graph at the first backwards of a line and at powers of two"),
)
