"""Where a setting is written: the number, or the word, that a call on a line is given."""

import ast
import math
from collections.abc import Iterable, Iterator

from treino.diagnosis.finding import Site
from treino.diagnosis.where.back import Step, values
from treino.diagnosis.where.bindings import bindings, keywords_of
from treino.diagnosis.where.flow import atoms, origins
from treino.diagnosis.where.source import (
    above,
    argument,
    around,
    calls,
    module,
    name_of,
    names,
    only,
    place,
    same,
    statement,
    words,
    written_on,
)

FITS = ("fit", "partial_fit", "fit_predict", "cross_val_score", "cross_val_predict", "cross_validate")
TRAINERS, ARGUMENTS = ("train",), ("TrainingArguments", "Seq2SeqTrainingArguments")  # of transformers
ALIASES = {"lr": ("learning_rate",), "batch_size": ("per_device_train_batch_size",), "weight_decay": ("wd",)}
API = (
    "lr",
    "weight_decay",
    "momentum",
    "dropout",
    "batch_size",
    "eps",
    "gamma",
    "patience",
    "max_norm",
    "seed",
)
NEAR = 1e-4  # of a number, by which one that was measured may be off
DEEP = 4  # sums and products, one within the other


def setting(
    site: Site | None, keyword: str, position: int | None = None, said: float | None = None
) -> Site | None:
    """Where the value stands that a call on this line is given: here, in a name, an argument, a default, a
    table of settings or a command line. The line itself where there is no one such place.

    said: the number, as it was seen; it tells several ways apart.
    """
    told = fitted(site, keyword)
    if told is None:
        return None
    for value in given_on(told, keyword, position):
        found = written(told, value, said, keyword)
        if found is not None:
            return found
    return told


def given_on(site: Site, keyword: str, position: int | None = None) -> list[ast.expr]:
    """What the calls and the tables of a line give for a keyword, or at a position."""
    found: list[ast.expr] = []
    names_it = (keyword, *ALIASES.get(keyword, ()))
    for node in (n for said in written_on(site) for n in ast.walk(said)):
        if isinstance(node, ast.Call):
            found += [
                k.value for k in node.keywords if k.arg is not None and k.arg.split("__")[-1] in names_it
            ]
            if (
                position is not None
                and (at := argument(node, keyword, position)) is not None
                and at not in found
            ):
                found.append(at)
            for spread in (k.value for k in node.keywords if k.arg is None):
                if not isinstance(spread, ast.Dict):
                    entry = ast.Subscript(spread, ast.Constant(keyword), ast.Load())
                    found.append(ast.copy_location(entry, spread))
        elif isinstance(node, ast.Dict):
            pairs = zip(node.keys, node.values, strict=True)
            found += [v for k, v in pairs if isinstance(k, ast.Constant) and k.value in names_it]
    return found


def written(site: Site, value: ast.AST, said: float | None = None, keyword: str = "") -> Site | None:
    """Where the number stands that an expression on this line means."""
    ways = values(site, value)
    if said is not None:
        told = [(w, number(w[-1])) for w in ways]
        near = [w for w, n in told if n is not None and math.isclose(n, said, rel_tol=NEAR)]
        ways = near or [w for w, n in told if n is None]
    else:
        ways = [w for w in ways if number(w[-1]) is not None]
    if not ways:
        return None
    if keyword and (used := next((s for s in ways[0] if _of_another(s.node, keyword)), None)) is not None:
        return used.site
    return deepest(ways)


def told_number(site: Site | None, said: float) -> Site | None:
    """The nearest line, of all that made what this one computes with, on which this number is written."""
    nodes = written_on(site)
    for step in (s for node in nodes for s in origins(site, node)) if site is not None else ():
        for node in (step.node, *(n for n in ast.walk(step.node) if isinstance(n, ast.Constant))):
            n = number(Step(step.site, node))
            if n is not None and math.isclose(n, said, rel_tol=NEAR):
                return place(step.site.file, node, 0 if hasattr(node, "lineno") else step.site.line)
    return None


def deepest(ways: list[list[Step]]) -> Site | None:
    """The last line that all ways back have in common, with what they end at if that is one line."""
    end = only(w[-1].site for w in ways)
    if end is not None:
        return end
    shared = [s for s in ways[0] if all(any(same(s.site, o.site) for o in w) for w in ways[1:])]
    return shared[-1].site if shared else None


def _of_another(value: ast.AST, keyword: str) -> bool:
    """Whether a value bears the name by which libraries know another setting: ``lr=cfg.weight_decay``."""
    key = (
        value.slice.value
        if isinstance(value, ast.Subscript) and isinstance(value.slice, ast.Constant)
        else ""
    )
    name = (key if isinstance(key, str) else "") or name_of(value)
    own = {
        keyword,
        *ALIASES.get(keyword, ()),
        *(a for k, v in ALIASES.items() if keyword in v for a in (k, *v)),
    }
    said = "_".join(words(name))
    return any(said == other for k in API if k not in own for other in (k, *ALIASES.get(k, ())))


def number(step: Step, deep: int = DEEP) -> float | None:
    """The number that an expression is, worked out where it is a sum or a product of such."""
    node = step.node
    if isinstance(node, ast.Constant):
        plain = isinstance(node.value, (int, float)) and not isinstance(node.value, bool)
        return float(node.value) if plain and abs(node.value) < 1e300 else None  # type: ignore[arg-type]
    if deep <= 0 or step.part:
        return None
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
        n = _number_of(step, node.operand, deep)
        return n if n is None or isinstance(node.op, ast.UAdd) else -n
    if isinstance(node, ast.BinOp):
        left, right = _number_of(step, node.left, deep), _number_of(step, node.right, deep)
        return _computed(node.op, left, right) if left is not None and right is not None else None
    return None


def _number_of(step: Step, node: ast.AST, deep: int) -> float | None:
    ends = {number(w[-1], deep - 1) for w in values(step.site, node)}
    return ends.pop() if len(ends) == 1 else None


def _computed(op: ast.operator, a: float, b: float) -> float | None:
    try:
        if isinstance(op, ast.Pow):
            found = a**b if abs(b) < 64 and abs(a) < 1e6 else None
        else:
            known = {ast.Add: a + b, ast.Sub: a - b, ast.Mult: a * b}
            if isinstance(op, ast.Div):
                return a / b
            found = known.get(type(op))
    except (ArithmeticError, ValueError):
        return None
    return float(found) if isinstance(found, (int, float)) else None


def fitted(site: Site | None, *keywords: str, given: tuple[str, ...] = ()) -> Site | None:
    """For a line on which a library trains, ``net.fit(x, y)``: where it is told how, by one of these keywords
    (``optimizer__lr`` too) or calls, the nearest before; or where what is fitted is made.
    """
    if site is None:
        return None
    every = module(site.file)
    settings = calls(every, *ARGUMENTS)
    fits = calls(written_on(site), *FITS, *(TRAINERS if settings else ()))
    if not fits:
        return site
    meant = (*keywords, *(other for k in keywords for other in ALIASES.get(k, ())))
    told = [c.lineno for c in calls(every, *given)] if given else []
    for node in ast.walk(every):
        if isinstance(node, ast.Call):
            told += [v.lineno for k, v in keywords_of(node).items() if k.split("__")[-1] in meant]
        elif isinstance(node, ast.Dict):
            keys = ((getattr(k, "value", None), v) for k, v in zip(node.keys, node.values, strict=True))
            told += [v.lineno for k, v in keys if isinstance(k, str) and k.split("__")[-1] in meant]
    own = bindings(site.file).classes
    told = told or [c.lineno for c in settings]
    told = told or [
        c.lineno for c in calls(every) if any(name_of(a) in own for a in (*c.args, *keywords_of(c).values()))
    ]
    near = [line for line in told if line <= site.line]
    if near:
        return place(site.file, every, max(near))
    of = fits[0].func.value if isinstance(fits[0].func, ast.Attribute) else next(iter(fits[0].args), None)
    ways = values(site, of) if of is not None else []
    return deepest(ways) or site


def word(site: Site | None, *meant: str, texts: bool = False) -> Site | None:
    """Where the word is written (a class, a function, a string, a key of a table) by which what runs on this
    line was chosen; the line itself where it says so plainly, or where there is no one such place.

    texts: strings alone, as keys of a table.
    """
    if site is None:
        return None
    low = {w.lower() for w in meant}
    nodes = written_on(site)
    if any(spells(n, low) for n in nodes):
        return _by_test(site, low) or site
    found: list[Site] = []
    for node in (a for n in nodes for a in atoms(n)):
        found += _looked_up(site, node, low)
        if not found and isinstance(node, (ast.Call, ast.Name, ast.Attribute, ast.Subscript)):
            found += _along(site, node.func if isinstance(node, ast.Call) else node, low, texts)
    return only(found) or site


def spells(node: ast.AST, low: set[str]) -> bool:
    """Whether a piece of source spells one of these words as a name."""
    return any(n.lower().strip("_") in low for n in names(node))


def _says(node: ast.AST, low: set[str]) -> bool:
    text = node.value if isinstance(node, ast.Constant) else None
    return (isinstance(text, str) and text.lower() in low) or (
        not isinstance(node, (ast.Dict, ast.FunctionDef, ast.ClassDef)) and spells(node, low)
    )


def _along(site: Site, node: ast.AST, low: set[str], texts: bool) -> list[Site]:
    """The last lines that say the word, on the ways back from an expression."""
    found: list[Site] = []
    for way in values(site, node):
        said = [s for s in way[1:] if _says(s.node, low) and s.how != "attribute"]
        said = [s for s in said if not texts or isinstance(s.node, ast.Constant)]
        if said:
            keyed = _looked_up(said[-1].site, said[-1].node, low)
            found += keyed or [said[-1].site]
        else:
            found += [at for s in way for at in _looked_up(s.site, s.node, low)]
    return found


def _looked_up(site: Site, node: ast.AST, low: set[str]) -> list[Site]:
    """Where the key is written by which a table, ``KINDS[name]``, gives what bears one of these words."""
    if isinstance(node, ast.Call):
        named = name_of(node)
        if named in ("get", "getattr") and node.args:
            table = node.args[0] if named == "getattr" else getattr(node.func, "value", None)
            key = node.args[1] if named == "getattr" and len(node.args) > 1 else node.args[0]
            return _keys(site, table, key, low) if table is not None else []
        return _looked_up(site, node.func, low)
    return _keys(site, node.value, node.slice, low) if isinstance(node, ast.Subscript) else []


def _keys(site: Site, table: ast.AST, key: ast.AST, low: set[str]) -> list[Site]:
    fit = set(low)
    for way in values(site, table):
        made = way[-1].node
        if isinstance(made, ast.Dict):
            pairs = zip(made.keys, made.values, strict=True)
            fit |= {str(k.value).lower() for k, v in pairs if isinstance(k, ast.Constant) and _says(v, low)}
    ends = [way[-1] for way in values(site, key) if not isinstance(key, ast.Constant)]
    return [e.site for e in ends if isinstance(e.node, ast.Constant) and str(e.node.value).lower() in fit]


def _by_test(site: Site, low: set[str]) -> Site | None:
    """Where the word or the flag is written that led into this branch: ``if cfg.loss == "nll":``."""
    branches = [n for n in around(site) if isinstance(n, (ast.If, ast.IfExp))]
    found: list[Site] = []
    for branch in branches[-1:]:
        test, negated = branch.test, False
        if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            test, negated = test.operand, True
        inside = _taken(branch, site)
        if isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.ops[0], (ast.Eq, ast.Is)):
            const = test.comparators[0]
            if isinstance(const, ast.Constant) and inside:
                found += _ends(site, test.left, const.value)
        elif isinstance(test, (ast.Name, ast.Attribute, ast.Subscript)):
            wanted = inside != negated
            found += _ends(site, test, wanted)
    end = only(found)
    return end if end is not None and not _asked_elsewhere(end, branches) else None


def _taken(branch: ast.If | ast.IfExp, site: Site) -> bool:
    body = branch.body if isinstance(branch.body, list) else [branch.body]
    return any(n.lineno <= site.line <= (n.end_lineno or 0) for n in body)


def _ends(site: Site, node: ast.AST, meant: object) -> list[Site]:
    ends = [way[-1] for way in values(site, node)]
    return [e.site for e in ends if isinstance(e.node, ast.Constant) and e.node.value == meant]


def _asked_elsewhere(end: Site, branches: Iterable[ast.AST]) -> bool:
    """Whether the word on a line is compared with in other branches, too: it chooses more than this."""
    said = {n.value for n in _constants(statement(end)) if isinstance(n.value, str)}
    chain = {id(n) for b in branches for n in above(end.file, b)} | {id(b) for b in branches}
    tests = [n for n in ast.walk(module(end.file)) if isinstance(n, ast.If) and id(n) not in chain]
    tests = [n for n in tests if not any(id(m) in chain for m in n.orelse)]
    return any(c.value in said for n in tests for c in _constants(n.test) if isinstance(c.value, str))


def _constants(node: ast.AST | None) -> Iterator[ast.Constant]:
    return (n for n in ast.walk(node) if isinstance(n, ast.Constant)) if node is not None else iter(())
