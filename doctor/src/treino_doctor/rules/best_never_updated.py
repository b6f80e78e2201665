"""A best figure that is compared with each new one, and never set to it."""

import ast
from collections.abc import Iterator

from treino_doctor.places import source
from treino_doctor.record.outcomes import StateTaken
from treino_doctor.rules.rule import SPLIT, Evidence, Faults, Log, Rule, Site, script

TIMES = 3  # states that the line took, each after other steps
ORDERS = (ast.Lt, ast.Gt, ast.LtE, ast.GtE)
LARGE = 1000.0  # a first value from which any figure is an improvement, as 0 or below


def decide(log: Log) -> Faults:
    """A line kept states again and again under a comparison with a first value that nothing ever replaces."""
    for taken in (t for t in log.of(StateTaken) if t.site is not None and t.times >= TIMES):
        best = next(unchanged(taken.site), None) if taken.site is not None else None
        if best is not None:
            yield Evidence(taken.site, {"best": best[0], "times": taken.times}, at=best[1])
            return


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
    given: list[ast.expr] = []
    for node in ast.walk(scope):
        pairs = [(t, node.value) for t in node.targets] if isinstance(node, ast.Assign) else []
        for target, value in pairs:
            if (
                isinstance(target, ast.Tuple)
                and isinstance(value, ast.Tuple)
                and len(target.elts) == len(value.elts)
            ):
                pairs += zip(target.elts, value.elts, strict=True)
            elif isinstance(target, (ast.Tuple, ast.List)) and name in map(ast.unparse, target.elts):
                return False
        given += [value for target, value in pairs if ast.unparse(target) == name]
        if isinstance(node, ast.AnnAssign) and node.value is not None and ast.unparse(node.target) == name:
            given.append(node.value)
        others = (ast.AugAssign, ast.For, ast.NamedExpr, ast.comprehension)
        if isinstance(node, others) and name in map(ast.unparse, ast.walk(node.target)):
            return False
        if isinstance(node, ast.arg) and node.arg == name:
            return False
    return bool(given) and all(map(is_outermost, given))


def is_outermost(value: ast.expr) -> bool:
    """Whether a value is infinity, 0 or less, or very large."""
    text = ast.unparse(value).replace('"', "'").lower().lstrip("-+")
    if text in (
        "float('inf')",
        "float('infinity')",
        "float('-inf')",
        "math.inf",
        "np.inf",
        "numpy.inf",
        "torch.inf",
        "inf",
    ):
        return True
    try:
        number = ast.literal_eval(value)
    except (ValueError, TypeError, SyntaxError):
        return False
    plain = isinstance(number, (int, float)) and not isinstance(number, bool)
    return plain and (number <= 0 or number >= LARGE)


RULE = Rule(
    group="settings",
    certain=False,
    message="""{best} is compared with each new figure and keeps its first value: {times} states were kept as
    the best.""",
    why="""Every figure is better than the first value, so that each state replaces the one before: what is
    kept in the end is the newest state, not the best.""",
    fix="Set it to the new figure where the state is kept.",
    safety="The state that is kept becomes that of the best figure.",
    limits="""Known by the source: a name that is compared around state_dict(), that the file sets only to
    infinity, to 0 or less, or to a thousand or more. A copy of the whole net is not seen.""",
    wrong=SPLIT.replace("test", "val")
    + "lowest = float('inf')\n"
    + script(loss="F.cross_entropy(net(x_train), y_train)")
    + """\
    with torch.no_grad():
        validation_loss = F.cross_entropy(net(x_val), y_val).item()
    if validation_loss < lowest:
        best = {k: v.clone() for k, v in net.state_dict().items()}
net.load_state_dict(best)
""",
    mend={"        best = {": "        lowest = validation_loss\n        best = {"},
)
