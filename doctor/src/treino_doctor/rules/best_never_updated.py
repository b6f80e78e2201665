"""A best figure that is compared with each new one, and never set to it; or the worst is kept as the best."""

import ast
import math
from collections.abc import Iterator

from treino_doctor.base.words import _
from treino_doctor.places import source
from treino_doctor.places.flow import origins
from treino_doctor.record.log import LossCall, Read
from treino_doctor.record.outcomes import StateTaken
from treino_doctor.rules.rule import VALIDATED, Evidence, Faults, Log, Rule, Site

TIMES = 3  # states that the line took, each after other steps
ORDERS = (ast.Lt, ast.Gt, ast.LtE, ast.GtE)
LARGE = 1000.0  # a first value from which any figure is an improvement, as 0 or below
KEEPS = ("state_dict", "save", "deepcopy", "save_pretrained", "save_checkpoint")


def decide(log: Log) -> Faults:
    """A line kept states again and again under a comparison with a first value that nothing ever replaces; or
    the largest loss, or the smallest share of right answers, is kept as the best."""
    for taken in (t for t in log.of(StateTaken) if t.site is not None and t.times >= TIMES):
        stays = next(unchanged(taken.site), None) if taken.site is not None else None
        if stays is not None:
            what = _("{best} keeps its first value, and {times} states were kept as the best")
            numbers = {"best": stays[0], "times": taken.times}
            yield Evidence(taken.site, numbers | {"what": what.format(**numbers)}, at=stays[1])
            return
    judged = [c for c in log.of(LossCall) if not c.trained and c.site is not None]
    losses = {c.site for c in judged if c.site is not None}
    shares = {o.site for r in log.of(Read) for o in r.graph.operations if o.name == "eq" and o.site}
    for file in sorted({s.file for s in losses | shares}):
        for met, figure, best, lower in comparisons(file):
            at, what = source.place(file, met), ""
            if lower and is_made_on(at, figure, shares, losses, True):
                what = _("{best} takes the smallest share of right answers")
            elif is_made_on(at, figure, losses, shares, False):
                none = least(file, best) <= min(c.value for c in judged)
                below = _("{best} begins below every loss, and never takes one") if none else ""
                what = below if lower else _("{best} takes the largest loss")
            if what:
                name = ast.unparse(best)
                yield Evidence(at, {"best": name, "times": 0, "what": what.format(best=name)})
                return


def comparisons(file: str) -> Iterator[tuple[ast.Compare, ast.expr, ast.expr, bool]]:
    """The comparisons of a new figure with the best so far, which it replaces, where a state is kept; and
    whether a lower figure is kept. Left out are pairs that are compared both ways."""
    known: list[tuple[ast.Compare, ast.expr, ast.expr, bool]] = []
    for met in (n for n in ast.walk(source.module(file)) if isinstance(n, ast.Compare)):
        inside = next((n for n in source.above(file, met) if isinstance(n, ast.stmt)), None)
        scope = source.function(source.place(file, met))
        whole = [scope] if isinstance(inside, ast.Assign) else []
        kept = inside.body if isinstance(inside, ast.If) else whole
        if len(met.ops) != 1 or not isinstance(met.ops[0], ORDERS) or not source.calls(kept, *KEEPS):
            continue
        for figure, best in ((met.left, met.comparators[0]), (met.comparators[0], met.left)):
            text, sets = ast.unparse(figure), assigned(scope, ast.unparse(best))
            if isinstance(best, (ast.Name, ast.Attribute)) and any(text in ast.unparse(v) for v in sets):
                less = isinstance(met.ops[0], (ast.Lt, ast.LtE))
                known.append((met, figure, best, less == (figure is met.left)))
    for one in known:
        if all(o[3] == one[3] or ast.unparse(o[2]) != ast.unparse(one[2]) for o in known):
            yield one


def assigned(scope: ast.AST, name: str) -> Iterator[ast.expr]:
    """The values that a scope assigns to a name; if it is one of several targets of one value, that value."""
    for node in (n for n in ast.walk(scope) if isinstance(n, (ast.Assign, ast.AnnAssign))):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        pairs = [(t, node.value) for t in targets if node.value is not None]
        for target, value in pairs:
            if isinstance(target, (ast.Tuple, ast.List)):
                own = value.elts if isinstance(value, ast.Tuple) else [value] * len(target.elts)
                pairs += zip(target.elts, own, strict=False)
            elif ast.unparse(target) == name:
                yield value


def is_made_on(at: Site, figure: ast.expr, lines: set[Site], others: set[Site], equal: bool) -> bool:
    """Whether a figure comes from one of these lines, before any of the others, with its own sign. equal: by
    an expression that compares; a line may make losses and shares."""
    for step in origins(at, figure):
        turned = (n for n in ast.walk(step.node) if isinstance(n, (ast.UnaryOp, ast.BinOp)))
        compares = any(isinstance(n, ast.Compare) for n in ast.walk(step.node))
        compares = compares or bool(source.calls(step.node, "eq"))
        if any(map(turns, turned)):
            return False
        if any(source.same(step.site, line) for line in lines | others):
            return compares is equal and any(source.same(step.site, line) for line in lines)
    return False


def turns(node: ast.UnaryOp | ast.BinOp) -> bool:
    """Whether an operation may turn a figure's order: ``-loss``, ``~hits``, ``1 - share``, ``1 / loss``."""
    if isinstance(node, ast.UnaryOp):
        return not isinstance(node.operand, ast.Constant)
    inverse = isinstance(node.op, ast.Div) and isinstance(node.left, ast.Constant)
    signed = any(isinstance(side, ast.UnaryOp) for side in (node.left, node.right))
    return inverse or signed or isinstance(node.op, ast.Sub)


def unchanged(site: Site) -> Iterator[tuple[str, Site]]:
    """The names of figures that conditions around a line compare and that keep their first values, and the
    conditions' lines."""
    scope = source.module(site.file)
    for around in source.around(site):
        found = ast.walk(around.test) if isinstance(around, ast.If) else ()
        for met in (n for n in found if isinstance(n, ast.Compare) and isinstance(n.ops[0], ORDERS)):
            for side in (met.left, met.comparators[0]):
                name = ast.unparse(side)
                if isinstance(side, (ast.Name, ast.Attribute)) and is_first_value(scope, name):
                    yield name, source.place(site.file, met)


def is_first_value(scope: ast.AST, name: str) -> bool:
    """Whether a program sets a name only to values that any figure is better than: infinity, 0, 1e9."""
    others = (ast.AugAssign, ast.For, ast.NamedExpr, ast.comprehension)
    for node in ast.walk(scope):
        set_otherwise = isinstance(node, others) and name in map(ast.unparse, ast.walk(node.target))
        if set_otherwise or (isinstance(node, ast.arg) and node.arg == name):
            return False
    given = [number(value) for value in assigned(scope, name)]
    return bool(given) and all(n is not None and (n <= 0 or n >= LARGE) for n in given)


def least(file: str, best: ast.expr) -> float:
    """The highest of the numbers that a file assigns to a name as first values; NaN if there is none."""
    numbers = (number(v) for v in assigned(source.module(file), ast.unparse(best)))
    return max((n for n in numbers if n is not None), default=math.nan)


def number(value: ast.expr) -> float | None:
    """The number that an expression spells out, infinity too; None if it is none."""
    text = ast.unparse(value).replace('"', "'").lower()
    plain = text.lstrip("-+").removeprefix("float('").removesuffix("')").lstrip("-+")
    if plain.rpartition(".")[2] in ("inf", "infinity"):
        return -math.inf if "-" in text else math.inf
    try:
        of = ast.literal_eval(value)
    except (ValueError, TypeError, SyntaxError):
        return None
    return float(of) if isinstance(of, (int, float)) and not isinstance(of, bool) else None


RULE = Rule(
    group="settings",
    certain=False,
    message="What is kept is not the best: {what}.",
    why="""Where every figure is better than a first value that stays, each state replaces the one before, and
    the newest is kept. Where the sign is wrong, the worst is kept, or none.""",
    fix="""Set it to the new figure where the state is kept. A loss is better if it is lower (<), a share of
    right answers if it is higher (>).""",
    safety="The state that is kept becomes that of the best figure.",
    limits="""Known by the source: a name that is compared around state_dict(), that the file sets only to
    infinity, to 0 or less, or to a thousand or more. A copy of the whole net is not seen. The sign is judged
    where the figure comes from a loss of torch or from answers that equal labels.""",
    wrong=VALIDATED
    + """\
    if validation_loss < lowest:
        best = {k: v.clone() for k, v in net.state_dict().items()}
net.load_state_dict(best)
""",
    mend={"        best = {": "        lowest = validation_loss\n        best = {"},
)
