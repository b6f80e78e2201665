"""Where a person would edit, told from the source around the lines on which something was seen."""

import ast
import re

from treino.diagnosis.finding import Site
from treino.diagnosis.reading.ancestry import step_back
from treino.diagnosis.reading.names import words
from treino.diagnosis.reading.provenance import definition, target_names
from treino.diagnosis.reading.source import (
    assignment,
    call_name,
    called,
    enclosing,
    function_of,
    loop_around,
    names_in,
    remembered,
    root_name,
    statement_at,
    tree,
)

FILLED = ("constant_", "fill_", "uniform_", "normal_", "trunc_normal_", "full", "full_like", "new_full")
FITS = ("fit", "partial_fit", "fit_predict", "cross_val_score", "cross_val_predict", "cross_validate")
WEIGHTED = re.compile(
    r"(Linear|Bilinear|(Lazy)?Conv|Embedding|LSTM|GRU|RNN|BatchNorm|LayerNorm|GroupNorm|Multihead)"
)
TRAINERS, ARGUMENTS = ("train",), ("TrainingArguments", "Seq2SeqTrainingArguments")  # of transformers
ALIASES = {"lr": ("learning_rate",), "batch_size": ("per_device_train_batch_size",)}
OFF = {"no_grad", "inference_mode", "set_grad_enabled"}


def no_grad_around(sites: tuple[Site, ...]) -> Site | None:
    """The ``with torch.no_grad():``, or the decorator, under which these lines run."""
    for site in sites:
        for node in reversed(enclosing(site)):
            if isinstance(node, ast.With) and any(names_in(i.context_expr) & OFF for i in node.items):
                return Site(site.file, node.lineno, site.function)
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                found = [d for d in node.decorator_list if names_in(d) & OFF]
                if found:
                    return Site(site.file, found[0].lineno, site.function)
    return None


def passes_on(site: Site | None, most: int = 99) -> bool:
    """Whether a line only computes with the arguments of its function (so many at most, but for a difference
    of two of them): whoever calls it chose the shapes.
    """
    if site is None:
        return False
    around, statement = function_of(site), statement_at(site)
    for node in ast.walk(statement) if statement is not None else ():  # an entry of a table of losses
        if isinstance(node, ast.Lambda) and node.lineno <= site.line <= (node.end_lineno or 0):
            own = {a.arg for a in node.args.args}
            return len(own) <= most and len(own & names_in(node.body)) >= 2
    if not isinstance(around, ast.FunctionDef) or statement is None or called(statement, *FITS):
        return False
    given = {a.arg for a in (*around.args.posonlyargs, *around.args.args, *around.args.kwonlyargs)} - {"self"}
    stored = {n.id for n in ast.walk(around) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    calls = [n.func for n in ast.walk(statement) if isinstance(n, ast.Call)]
    own = given - stored - {f.id for f in calls if isinstance(f, ast.Name)}
    for node in ast.walk(statement):  # prediction - target, whatever else it is given
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub):
            sides = [n.id for n in (node.left, node.right) if isinstance(n, ast.Name)]
            if len(sides) == 2 and own.issuperset(sides):
                return True
    compared = [a for n in ast.walk(statement) if isinstance(n, ast.Call) for a in n.args]
    answers = any(map(_asks_net, compared))
    return len(given) <= most and len(own & names_in(statement)) >= 2 and not answers


def _asks_net(value: ast.AST) -> bool:
    """``self.net(x)``, ``model(x)``: what is compared was made here."""
    func = value.func if isinstance(value, ast.Call) and value.args else None
    owned = isinstance(func, ast.Attribute) and isinstance(func.value, ast.Name) and func.value.id == "self"
    nets = {"net", "model", "modelo", "modell", "netz", "rede", "red", "mlp", "module"}
    name = func.attr if owned else func.id if isinstance(func, ast.Name) else ""  # type: ignore[union-attr]
    return bool(nets & {*words(name)})


def told_line(site: Site | None, *keywords: str, calls: tuple[str, ...] = ()) -> Site | None:
    """Where a person tells a library what its ``fit`` then does: the keyword (``lr=``, ``optimizer__lr=``) or
    the call nearest before, or the line that makes what is fitted. A line that fits nothing is the place.
    """
    statement, module = (statement_at(site), tree(site.file)) if site is not None else (None, None)
    settings = called(module, *ARGUMENTS) if module is not None else []
    fits = called(statement, *FITS, *(TRAINERS if settings else ())) if statement is not None else []
    keywords = (*keywords, *(other for k in keywords for other in ALIASES.get(k, ())))
    if site is None or module is None or not fits:
        return site
    told: list[int] = []
    for node in ast.walk(module):
        given: list[tuple[object, ast.expr]] = []
        if isinstance(node, ast.keyword):
            given = [(node.arg, node.value)]
        elif isinstance(node, ast.Dict):
            given = [(getattr(k, "value", None), v) for k, v in zip(node.keys, node.values, strict=True)]
        elif isinstance(node, ast.Call) and called(node, *calls)[:1] == [node]:
            told.append(node.lineno)
        told += [v.lineno for k, v in given if isinstance(k, str) and k.split("__")[-1] in keywords]
    told = told or [c.lineno for c in settings] or _given_a_class(module)
    near = [line for line in told if line <= site.line]
    if near:
        return Site(site.file, max(near))
    func = fits[0].func
    fitted = func.value if isinstance(func, ast.Attribute) else fits[0].args[0] if fits[0].args else None
    made = definition(site, fitted.id) if isinstance(fitted, ast.Name) else None
    return Site(site.file, made.line) if made is not None else site


@remembered
def left_at_once(site: Site | None) -> Site | None:
    """The line before, in the same function, that makes a ``torch.no_grad()`` and leaves it at once:
    there is no ``with``.
    """
    around = function_of(site) if site is not None else None
    if site is None or around is None:
        return None
    for node in (n for n in ast.walk(around) if isinstance(n, ast.Expr) and n.lineno < site.line):
        made = isinstance(node.value, ast.Call) and call_name(node.value) in ("no_grad", "inference_mode")
        if made and function_of(Site(site.file, node.lineno)) is around:
            return Site(site.file, node.lineno, site.function)
    return None


@remembered
def layer_in_forward(path: str) -> Site | None:
    """The first line of a ``forward`` that makes a layer with weights: ``nn.Linear(8, 4)(x)``."""
    module = tree(path)
    for node in ast.walk(module) if module is not None else ():
        if isinstance(node, ast.FunctionDef) and node.name == "forward":
            made = [
                c.lineno for c in ast.walk(node) if isinstance(c, ast.Call) and WEIGHTED.match(call_name(c))
            ]
            if made:
                return Site(path, min(made), node.name)
    return None


@remembered
def calls_each(site: Site | None) -> bool:
    """Whether a line calls what the loop around it goes over: ``for layer in self.layers: x = layer(x)``."""
    statement = statement_at(site) if site is not None else None
    if site is None or statement is None:
        return False
    loops = [n for n in enclosing(site) if isinstance(n, ast.For)]
    each = set().union(*(target_names(loop.target) for loop in loops))
    return any(call_name(c) in each for c in ast.walk(statement) if isinstance(c, ast.Call))


def hook_line(site: Site | None, name: str) -> Site | None:
    """Where a person's function of such a name changes what the ``fit`` on this line does."""
    statement, module = (statement_at(site), tree(site.file)) if site is not None else (None, None)
    if site is None or module is None or statement is None or not called(statement, *FITS):
        return site
    hooks = (n for n in ast.walk(module) if isinstance(n, ast.FunctionDef) and name in n.name)
    hook = next(hooks, None)
    return Site(site.file, hook.body[0].lineno, hook.name) if hook is not None else site


def _given_a_class(module: ast.Module) -> list[int]:
    """Lines of the calls that are given a class of this file, or a new object of it."""
    own = {n.name for n in ast.walk(module) if isinstance(n, ast.ClassDef)}
    found: list[int] = []
    for node in ast.walk(module):
        for given in (*node.args, *(k.value for k in node.keywords)) if isinstance(node, ast.Call) else ():
            what = given.func if isinstance(given, ast.Call) else given
            if isinstance(what, ast.Name) and what.id in own:
                found.append(node.lineno)  # type: ignore[attr-defined]
    return found


def caller(sites: tuple[Site, ...]) -> Site | None:
    """The innermost of these lines that doesn't only pass on what it was given."""
    return next((s for s in sites if not passes_on(s)), sites[0] if sites else None)


def tabled_call(site: Site | None) -> Site | None:
    """Where a lambda on this line is called: by its name, as an entry of the table that it stands in, or by
    what such an entry was kept as. None where it is called nowhere.
    """
    statement, module = (statement_at(site), tree(site.file)) if site is not None else (None, None)
    targets = getattr(statement, "targets", None) or [getattr(statement, "target", None)]
    table = {t.id for t in targets if isinstance(t, ast.Name)}
    if site is None or module is None or not table:
        return None
    kept = set(table)
    for node in ast.walk(module):
        if isinstance(node, ast.Assign) and names_in(node.value) & table and not called(node.value, *kept):
            kept |= {
                t.attr if isinstance(t, ast.Attribute) else t.id
                for t in node.targets
                if isinstance(t, (ast.Attribute, ast.Name))
            }
    lines = []
    for call in (n for n in ast.walk(module) if isinstance(n, ast.Call) and len(n.args) > 1):
        of = call.func.value if isinstance(call.func, ast.Subscript) else None
        entry = isinstance(of, ast.Name) and of.id in table
        if entry or (of is None and call_name(call) in kept):
            lines.append(call.lineno)
    return Site(site.file, min(lines)) if lines else None


def loss_made(site: Site | None) -> Site | None:
    """Where the function that computes the loss is called whose backward is called on this line."""
    if site is None:
        return None
    name = root_name(site)
    return (assignment(site, name, follow=False) if name else None) or site


def update_by_hand(backward: Site | None) -> Site | None:
    """The line of another function that moves parameters by their ``.grad``: they are to be cleared there."""
    module = tree(backward.file) if backward is not None else None
    if backward is None or module is None:
        return None
    for node in ast.walk(module):
        if not isinstance(node, (ast.AugAssign, ast.Assign, ast.Expr)) or "grad" not in names_in(node.value):
            continue
        moves = not isinstance(node, ast.Expr) or called(node.value, "sub_", "add_", "copy_", "addcdiv_")
        site = Site(backward.file, node.lineno)
        inside = function_of(site)
        if moves and inside is not function_of(backward) and not isinstance(inside, ast.Module):
            return site
    return None


def killing_init(path: str) -> Site | None:
    """The line that gives weights or biases nothing but values below zero."""
    module = tree(path)
    for node in ast.walk(module) if module is not None else ():
        if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Sub):
            if "bias" in names_in(node.target) and "grad" not in names_in(node.value):
                return Site(path, node.lineno)
        elif isinstance(node, ast.Call) and (_fills_below(node) or _made_below(node)):
            return Site(path, node.lineno)
    return None


def _fills_below(call: ast.Call) -> bool:
    """``constant_(b, -3)``, ``uniform_(-a, 0)``, ``normal_(w, -1, 0.1)``, ``torch.full(n, -3)``."""
    name = call_name(call)
    if name not in FILLED:
        return False
    named = {k.arg: k.value for k in call.keywords}
    values = [*call.args, *(v for k, v in named.items() if k in ("val", "value", "fill_value", "a", "b"))]
    if "normal" in name:
        values = [*call.args[:2], *(v for k, v in named.items() if k == "mean")]
    if not any(_is_negative(v) for v in values):
        return False
    top = values[-1]
    if name.startswith("uniform"):
        return _is_negative(top) or (isinstance(top, ast.Constant) and top.value == 0)
    return True


def _made_below(call: ast.Call) -> bool:
    """``nn.Parameter(-torch.rand(...))``"""
    name = call_name(call)
    value = call.args[0] if name == "Parameter" and call.args else None
    while isinstance(value, ast.BinOp):
        value = value.left
    return value is not None and _is_negative(value)


def _is_negative(node: ast.AST) -> bool:
    return isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub)


def written(site: Site | None, *names: str) -> Site | None:
    """The only call of one of these in the file, where the line itself (of a compiled net) has none."""
    statement, module = (statement_at(site), tree(site.file)) if site is not None else (None, None)
    if site is None or statement is None or module is None or _spelled(statement, names):
        return site
    calls = called(module, *names)
    return Site(site.file, calls[0].lineno) if len(calls) == 1 else site


@remembered
def spelled(site: Site, name: str) -> bool:
    """Whether a line has this word in a name."""
    statement = statement_at(site)
    return statement is not None and _spelled(statement, (name,))


def _spelled(statement: ast.stmt, names: tuple[str, ...]) -> bool:
    """Whether a statement has one of these words in a name: ``self.softmax(x)`` has softmax."""
    return any(w.lower() in n.lower() for n in names_in(statement) for w in names)


def same_loop(inner: tuple[Site, ...], other: Site | None) -> bool:
    """Whether a line stands in the very loop from which another (with its callers) was reached."""
    if other is None:
        return False
    for site in inner:
        if site.file == other.file and function_of(site) is function_of(other):
            return _loops(site)[-1:] == _loops(other)[-1:]
    return True


def _loops(site: Site) -> list[ast.AST]:
    return [n for n in enclosing(site) if isinstance(n, (ast.For, ast.While))]


def any_layer(site: Site) -> bool:
    """Whether a line calls one layer after the other: ``for layer in self.layers: x = layer(x)``."""
    loop = loop_around(site)
    each = target_names(loop.target) if isinstance(loop, ast.For) else set()
    return bool(called(statement_at(site) or ast.Pass(), *each))


def batches_made(sites: tuple[Site, ...]) -> Site | None:
    """The head of the loop over batches around the innermost of these lines that stands in one, or the line
    that tells what is looped over how large they are; loops over layers are none.
    """
    for site in (s for s in sites if getattr(function_of(s), "name", "") != "forward"):
        loops = [n for n in _loops(site) if isinstance(n, ast.For)]
        if loops:
            head, of = Site(site.file, loops[-1].lineno, site.function), loops[-1].iter
            made = step_back(of.id, head) if isinstance(of, ast.Name) else None
            sized = made is not None and any(
                isinstance(n, ast.keyword) and n.arg == "batch_size" for n in ast.walk(made.value)
            )
            return made.site if made is not None and sized else head
    return sites[0] if sites else None
