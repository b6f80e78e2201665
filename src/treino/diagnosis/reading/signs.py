"""Where weights are drawn that all have one sign, as the source says it."""

import ast
import math

from treino.diagnosis.finding import Site
from treino.diagnosis.reading.ancestry import makers
from treino.diagnosis.reading.names import words
from treino.diagnosis.reading.source import call_name, called, names_in, tree

Range = tuple[float, float]  # the lowest and the highest that numbers may be
ANY: Range = (-math.inf, math.inf)
POSITIVE: Range = (0.0, math.inf)
SHARES = ("rand", "random", "random_sample", "rand_like")
DRAWS = (*SHARES, "uniform", "uniform_", "randn", "randn_like", "normal", "normal_", "standard_normal")
SIZES = ("sqrt", "rsqrt", "exp", "square", "len", "abs", "abs_", "fabs", "prod", "numel", "softplus", "relu")
UNIFORM = ("uniform", "uniform_")
SAME = {
    *("to", "float", "double", "cuda", "cpu", "requires_grad_", "astype", "clone", "detach", "reshape"),
    *("tensor", "from_numpy", "as_tensor", "Parameter", "Variable", "view", "t", "array", "asarray"),
}
WEIGHTS = {"weight", "weights", "w", "kernel", "bias", "biases", "theta", "param", "params", "matrix"}
LEARNED = ("Parameter", "requires_grad_", "register_parameter")


def one_sided(path: str) -> Site | None:
    """The first line that draws weights none of which is above zero, or else, none of which is below."""
    module = tree(path)
    below: list[int] = []
    above: list[int] = []
    for node in ast.walk(module) if module is not None else ():
        for value in _drawn(node):
            low, high = _range(value, Site(path, value.lineno))
            if high <= 0 and low < 0:
                below.append(value.lineno)
            elif low >= 0 and high > 0 and not _may_be_above(node):
                above.append(value.lineno)
    lines = below or above
    return Site(path, min(lines)) if lines else None


def _drawn(node: ast.AST) -> list[ast.expr]:
    """The random numbers that a statement makes weights of."""
    if isinstance(node, ast.Call) and call_name(node) in (*LEARNED, "copy_"):
        of = node.func.value if isinstance(node.func, ast.Attribute) and not node.args else None
        given = [of] if of is not None else list(node.args[-1:])
    elif isinstance(node, ast.Call) and any(k.arg == "requires_grad" for k in node.keywords):
        given = [node]
    elif isinstance(node, ast.Assign) and any(_is_weight(t) for t in node.targets):
        given = [node.value]
    elif isinstance(node, ast.Call) and _fills_weight(node):
        given = [node]
    else:
        given = []
    return [v for v in given if called(v, *DRAWS)]


def _fills_weight(call: ast.Call) -> bool:
    """``nn.init.uniform_(layer.weight)``, ``layer.weight.data.uniform_()``"""
    of = call.args[0] if call.args and "init" in names_in(call.func) else getattr(call.func, "value", None)
    return call_name(call) == "uniform_" and of is not None and _is_weight(of)


def _is_weight(target: ast.AST) -> bool:
    """``weight``, ``self.W1``, ``params["w"]``, ``layer.weight.data``"""
    key = target.slice if isinstance(target, ast.Subscript) else None
    said = names_in(target) | ({key.value} if isinstance(key, ast.Constant) else set())
    return any(WEIGHTS & {*words(name)} for name in said if isinstance(name, str))


def _may_be_above(node: ast.AST) -> bool:
    """Whether what is made may well be all above zero: biases, or rows whose gradients are asked for."""
    if isinstance(node, ast.Call):
        if call_name(node) == "uniform_":
            return "bias" in names_in(node)
        return call_name(node) not in ("Parameter", "register_parameter", "copy_")
    targets = node.targets if isinstance(node, ast.Assign) else []
    return any({"b", "bias", "biases"} & {*words(name)} for t in targets for name in names_in(t))


def _range(value: ast.AST, place: Site, deep: int = 8) -> Range:
    """How low and how high the numbers of an expression may be; a name of unknown numbers is a scale."""
    if deep == 0:
        return ANY
    if isinstance(value, ast.Constant):
        return (value.value,) * 2 if isinstance(value.value, (int, float)) else ANY
    if isinstance(value, ast.UnaryOp) and isinstance(value.op, ast.USub):
        low, high = _range(value.operand, place, deep - 1)
        return -high, -low
    if isinstance(value, ast.BinOp):
        return _computed(value, place, deep)
    if isinstance(value, ast.Call):
        return _called(value, place, deep)
    if isinstance(value, ast.Name):
        made = makers(value.id, place)
        if len(made) == 1 and made[0].value is not value:
            return _range(made[0].value, made[0].site, deep - 1)
        return POSITIVE
    return POSITIVE if isinstance(value, (ast.Attribute, ast.Subscript)) else ANY


def _computed(value: ast.BinOp, place: Site, deep: int) -> Range:
    (a, b), (c, d) = (_range(side, place, deep - 1) for side in (value.left, value.right))
    if isinstance(value.op, ast.Add):
        return a + c, b + d
    if isinstance(value.op, ast.Sub):
        return a - d, b - c
    if isinstance(value.op, ast.Mult):
        ends = [_product(one, other) for one in (a, b) for other in (c, d)]
        return min(ends), max(ends)
    if isinstance(value.op, (ast.Div, ast.FloorDiv)) and c >= 0:
        far = 1 / d if 0 < d < math.inf else 0.0
        near = 1 / c if c > 0 else math.inf
        ends = [_product(one, other) for one in (a, b) for other in (far, near)]
        return min(ends), max(ends)
    even = isinstance(value.op, ast.Pow) and (a >= 0 or c % 2 == 0)
    return POSITIVE if even else ANY


def _called(call: ast.Call, place: Site, deep: int) -> Range:
    name = call_name(call)
    of = call.func.value if isinstance(call.func, ast.Attribute) else None
    if name in UNIFORM:
        return _between(call, place, deep)
    if name in ("neg", "neg_", "negative"):
        inner = call.args[0] if call.args else of
        low, high = _range(inner, place, deep - 1) if inner is not None else ANY
        return -high, -low
    if name in SHARES:
        return 0.0, 1.0
    if name in SIZES:
        return POSITIVE
    if name in SAME:
        library = isinstance(of, ast.Name) and of.id in ("torch", "np", "numpy", "nn", "autograd")
        whole = call.args[0] if call.args and (library or of is None) else of
        return _range(whole, place, deep - 1) if whole is not None else ANY
    return ANY


def _between(call: ast.Call, place: Site, deep: int) -> Range:
    """What ``uniform(low, high)`` draws; anything where its ends are names of unknown numbers."""
    of = call.func.value if isinstance(call.func, ast.Attribute) else None
    filled = of is None or "init" in names_in(of)  # nn.init.uniform_(tensor, a, b)
    ends = call.args[1:3] if filled else call.args[:2]
    named = {k.arg: k.value for k in call.keywords}
    low = [*ends[:1], *(named[k] for k in ("low", "a", "from_") if k in named)]
    high = [*ends[1:], *(named[k] for k in ("high", "b", "to") if k in named)]
    lowest = _range(low[0], place, deep - 1) if low else (0.0, 0.0)
    highest = _range(high[0], place, deep - 1) if high else (1.0, 1.0)
    return (-math.inf if lowest == POSITIVE else lowest[0]), highest[1]


def _product(one: float, other: float) -> float:
    return 0.0 if one == 0 or other == 0 else one * other
