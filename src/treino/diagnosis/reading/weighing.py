"""Where the weights of classes in a loss, or of rows in a sampler, are computed, as the source says it."""

import ast
import re
from collections.abc import Iterator
from itertools import islice

from treino.diagnosis.finding import Site
from treino.diagnosis.reading.ancestry import ancestry, first, makers, parameters, trail
from treino.diagnosis.reading.provenance import Function
from treino.diagnosis.reading.source import call_name, called, statement_at, tree

SAMPLERS = ("WeightedRandomSampler",)
COMPUTES = (
    *("reciprocal", "pow", "power", "div", "divide", "true_divide", "sqrt", "log", "log1p", "softmax"),
    *("compute_class_weight", "compute_sample_weight", "inverse"),
)
LOSSES = ("CrossEntropyLoss", "NLLLoss", "BCEWithLogitsLoss", "BCELoss", "cross_entropy", "nll_loss")
BALANCES = ("sum", "compute_class_weight", "compute_sample_weight")
REPORTS = ("print", "info", "debug", "write", "log", "pprint", "warning")
WEIGHTS = re.compile(r"weights?(_|$)(?!decay|norm)|^inv(erse)?_freq", re.IGNORECASE)
WHOLES = ("sum", "len", "max", "numel")
COUNTS = ("bincount", "value_counts", "Counter", "unique", "histogram")


def class_weights_line(site: Site | None) -> Site | None:
    """Where the class weights of the loss on this line (or of its module, made there) are computed."""
    statement = statement_at(site) if site is not None else None
    if site is None or statement is None:
        return None
    value = _weight_in(statement) or _weight_in(tree(site.file))
    return (first(trail(value, _at(site, value)), weighs) or _at(site, value)) if value is not None else None


def sampler_weights_line(loader: Site | None) -> Site | None:
    """Where the weights are computed by which the sampler of a DataLoader draws rows; None where it has no
    such sampler.
    """
    weights = _sampler_weights(loader)
    for step in trail(*weights) if weights is not None else ():
        if weighs(step.value):
            return step.site
        if _counts(step.value):  # given as they are
            break
    return weights[1] if weights is not None else None


def drawn_by_counts(loader: Site | None, site: Site | None = None) -> bool:
    """Whether the sampler of a DataLoader (or what draws the rows of a loss on this line by hand) is given
    counts or shares of classes as they are, not inverted: the commoner a class, the more often each of its
    rows is drawn.
    """
    sampled = _sampler_weights(loader)
    if sampled is not None:
        return _plain_counts(*sampled)
    return share_drawn(site, loader) is not None


def share_drawn(site: Site | None, loader: Site | None) -> Site | None:
    """Where the counts are given as chances by which the rows of a loss on this line are drawn by hand."""
    for step in islice(ancestry(site, loader), 60):
        for given in _chances(step.value):
            place = _at(step.site, given)
            if _plain_counts(given, place):
                return first(trail(given, place), weighs) or place
    return None


def _plain_counts(weights: ast.AST, place: Site) -> bool:
    for step in islice(trail(weights, place), 30):
        if any(_inverts(node, step.site) for node in ast.walk(step.value)):
            return False
        if _counts(step.value):
            return True
    return False


def _counts(value: ast.AST) -> bool:
    """Whether an expression counts the rows of classes: ``bincount(y)``, ``(y == c).sum()``."""
    for call in (n for n in ast.walk(value) if isinstance(n, ast.Call)):
        of = call.func.value if isinstance(call.func, ast.Attribute) else None
        if call_name(call) in COUNTS or (call_name(call) == "count" and len(call.args) == 1):
            return True
        equal = any(isinstance(n, ast.Eq) for part in (of, *call.args) for n in ast.walk(part or ast.Pass()))
        if equal and call_name(call) in ("sum", "mean", "count_nonzero"):
            return True
    return False


def _inverts(node: ast.AST, place: Site) -> bool:
    """Whether an expression may turn counts around; ``counts / counts.sum()`` doesn't."""
    if isinstance(node, ast.Call):
        return call_name(node) in COMPUTES
    if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Div):
        return isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Pow, ast.Sub))
    return _is_whole(node.left, place)


def _is_whole(value: ast.AST, place: Site) -> bool:
    """Whether an expression is one number, as of all rows: ``len(y)``, ``1.0``, a name for such a number."""
    if isinstance(value, ast.Name):
        made = makers(value.id, place)
        return bool(made) and all(step.value is not value and _is_number(step.value) for step in made)
    return _is_number(value)


def _is_number(value: ast.AST) -> bool:
    plain = isinstance(value, ast.Constant) or bool(called(value, *WHOLES, "size", "median", "mean"))
    return plain or any(isinstance(n, ast.Attribute) and n.attr in ("shape", "size") for n in ast.walk(value))


def _sampler_weights(loader: Site | None) -> tuple[ast.AST, Site] | None:
    """What the sampler of a DataLoader is given as weights, and where."""
    statement = statement_at(loader) if loader is not None else None
    if loader is None or statement is None:
        return None
    for call in called(statement, "DataLoader"):
        for given in (k.value for k in call.keywords if k.arg in ("sampler", "batch_sampler")):
            for step in trail(given, loader):
                for sampler in called(step.value, *SAMPLERS):
                    named = [k.value for k in sampler.keywords if k.arg == "weights"]
                    weights = (named or sampler.args or [sampler])[0]
                    return weights, _at(step.site, weights)
    return None


def draw_weights_line(path: str) -> Site | None:
    """Where the chances are computed, from counts, by which rows are drawn: ``choice(n, size, p=...)``."""
    module = tree(path)
    for given in _chances(module) if module is not None else ():
        place = _at(Site(path, 0), given)
        if any(_counts(s.value) for s in islice(trail(given, place), 30)):
            return first(trail(given, place), weighs) or place
    return None


def _chances(node: ast.AST) -> Iterator[ast.expr]:
    """What the calls in a piece of source that draw rows by hand are given as chances."""
    for call in called(node, "choice", "choices", "multinomial"):
        given = [k.value for k in call.keywords if k.arg in ("p", "weights", "input")]
        given += call.args[:1] if call_name(call) == "multinomial" else []
        yield from given[:1]


def unused_weights(path: str) -> bool:
    """Whether weights of classes are computed that nothing but a report then reads."""
    module = tree(path)
    if module is None:
        return False
    told = {id(n) for c in called(module, *REPORTS) for n in ast.walk(c)}
    read = {name_of(n) for n in ast.walk(module) if _is_read(n) and id(n) not in told}
    given = {k.arg for n in ast.walk(module) if isinstance(n, ast.Call) for k in n.keywords}
    for node in (n for n in ast.walk(module) if isinstance(n, ast.Assign) and weighs(n.value)):
        names = {name_of(t) for t in node.targets}
        if any(WEIGHTS.search(name) for name in names) and not names & (read | given):
            steps = islice(trail(node.value, Site(path, node.lineno)), 30)
            if any(called(step.value, *COUNTS, *BALANCES) for step in steps):
                return True
    if any(_is_ignored(n, module) for n in ast.walk(module) if isinstance(n, Function)):
        return True
    makers = (n for n in ast.walk(module) if isinstance(n, Function) and WEIGHTS.search(n.name))
    return any(called(n, *COUNTS) and n.name not in read for n in makers)


def _is_ignored(function: ast.FunctionDef | ast.AsyncFunctionDef, module: ast.Module) -> bool:
    """Whether a function is given weights of classes, makes a loss without them, and at most keeps them where
    nobody reads them.
    """
    plain = [c for c in called(function, *LOSSES) if _weight_in(c) is None]
    names = {name for name in parameters(function) if WEIGHTS.search(name)} if plain else set()
    kept = [n for n in ast.walk(function) if isinstance(n, ast.Assign) and name_of(n.value) in names]
    held = {id(n.value) for n in kept}
    reads = [n for n in ast.walk(function) if _is_read(n) and name_of(n) in names and id(n) not in held]
    attributes = {t.attr for n in kept for t in n.targets if isinstance(t, ast.Attribute)}
    later = (n for n in ast.walk(module) if isinstance(n, ast.Attribute) and n.attr in attributes)
    return bool(names) and not reads and not any(_is_read(n) for n in later)


def name_of(node: ast.AST) -> str:
    """The name, or the attribute, that an expression is; empty for others."""
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _is_read(node: ast.AST) -> bool:
    return isinstance(node, (ast.Name, ast.Attribute)) and isinstance(node.ctx, ast.Load)


def weighs(value: ast.AST) -> bool:
    """Whether an expression computes weights, or spells them out."""
    return any(_computes(node) or _is_list_of_numbers(node) for node in ast.walk(value))


def _computes(node: ast.AST) -> bool:
    if isinstance(node, ast.BinOp):
        return isinstance(node.op, (ast.Div, ast.Mult, ast.Pow, ast.Sub))
    return isinstance(node, ast.Call) and call_name(node) in COMPUTES


def _is_list_of_numbers(node: ast.AST) -> bool:
    parts = node.elts if isinstance(node, (ast.List, ast.Tuple)) else []
    numbers = [p for p in parts if isinstance(p, ast.Constant) and isinstance(p.value, (int, float))]
    return len(parts) > 1 and len(numbers) == len(parts)


def _weight_in(node: ast.AST | None) -> ast.expr | None:
    """What a call in a piece of source is given as the weights of its classes."""
    for call in (n for n in ast.walk(node) if isinstance(n, ast.Call)) if node is not None else ():
        for keyword in call.keywords:
            constant = isinstance(keyword.value, ast.Constant) and keyword.value.value is None
            if keyword.arg in ("weight", "pos_weight") and not constant:
                return keyword.value
        at = {"CrossEntropyLoss": 0, "NLLLoss": 0, "cross_entropy": 2, "nll_loss": 2}.get(call_name(call), 99)
        if len(call.args) > at:
            return call.args[at]
    return None


def _at(site: Site, node: ast.AST) -> Site:
    return Site(site.file, getattr(node, "lineno", site.line), site.function)
