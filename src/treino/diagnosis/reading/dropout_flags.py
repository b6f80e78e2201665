"""Whether a dropout in a forward is switched off by evaluation mode, as the source says."""

import ast
import re

from treino.diagnosis.finding import Site
from treino.diagnosis.reading.source import call_name, called, statement_at, tree

PURPOSE = re.compile(
    r"(^|_)mc($|_|[A-Z])|MC|monte|bayes|uncertain|epistemic|stochastic|prenet|always|corrupt|denois|noisy"
    r"|(n|num)_samples|committee|vote"
)

PLAIN = (ast.List, ast.Tuple, ast.Dict, ast.ListComp, ast.DictComp)


def always_on(site: Site) -> bool:
    """Whether each dropout of a line that is told its mode is told that it always trains."""
    statement = statement_at(site)
    nodes = ast.walk(statement) if statement is not None else ()
    flags = [_flag(n) for n in nodes if isinstance(n, ast.Call) and "dropout" in call_name(n)]
    return bool(flags) and all(isinstance(f, ast.Constant) and f.value is True for f in flags)


def makes_mask(site: Site) -> bool:
    """Whether a line draws which values stay: ``rand_like(h) > p``, ``bernoulli(keep)``."""
    statement = statement_at(site)
    for node in ast.walk(statement) if statement is not None else ():
        if isinstance(node, ast.Compare) and called(node, "rand_like", "rand"):
            return True
        if isinstance(node, ast.Call) and call_name(node) == "bernoulli":
            return True
    return False


def _flag(call: ast.Call) -> ast.AST | None:
    """What a dropout is told of its mode; True where it is told nothing."""
    for keyword in call.keywords:
        if keyword.arg in ("training", "train"):
            return keyword.value
    return call.args[2] if len(call.args) > 2 else ast.Constant(True)


def on_purpose(site: Site) -> bool:
    """Whether the script speaks of samples of its answers, for which dropout goes on in evaluation."""
    module = tree(site.file)
    for node in ast.walk(module) if module is not None else ():
        names = [getattr(node, key, None) for key in ("name", "id", "arg", "attr")]
        if any(isinstance(n, str) and PURPOSE.search(n) for n in names):
            return True
    return False


def held_plainly(path: str, kind: str) -> Site | None:
    """The only line on which the objects of a class keep layers in a plain list or table, which hides them
    from its modes: ``self.members = [member() for _ in range(3)]``.
    """
    module = tree(path)
    owners = [n for n in ast.walk(module) if isinstance(n, ast.ClassDef) and n.name == kind] if module else []
    lines: set[int] = set()
    for node in (n for owner in owners for n in ast.walk(owner) if isinstance(n, ast.Assign)):
        own = any(isinstance(t, ast.Attribute) and isinstance(t.value, ast.Name) for t in node.targets)
        if (
            own
            and isinstance(node.value, PLAIN)
            and any(isinstance(n, ast.Call) for n in ast.walk(node.value))
        ):
            lines.add(node.lineno)
    return Site(path, lines.pop()) if len(lines) == 1 else None
