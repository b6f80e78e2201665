"""Find where a setting is written: the number or the word that a call on a line uses."""

import ast
import math

from treino_doctor.finding import Site
from treino_doctor.places.back import values
from treino_doctor.places.flow import atoms
from treino_doctor.places.source import argument, calls, module, name_of, names, only, place, written_on

FITS = ("fit", "partial_fit", "fit_predict", "cross_val_score", "cross_val_predict", "cross_validate")
LIBRARIES = {"lr": ("learning_rate",), "max_norm": ("gradient_clip_val", "max_grad_norm")}  # libraries' names
NEAR = 1e-4  # relative tolerance of a measured number
Place = Site | None


def setting(site: Place, keyword: str, position: int | None = None, figure: float | None = None) -> Place:
    """The line that sets an argument of a call on this line: this line, or the line of a name, a parameter, a
    default, a table of settings or a command line option. The line itself if there is no single such line.

    figure: the value that the run used; it selects one of several candidates.
    """
    if site is None:
        return None
    lines = (written(site, value, figure) for value in arguments_on(site, keyword, position))
    return next(filter(None, lines), None) or library_setting(site, keyword, figure) or site


def library_setting(site: Site | None, keyword: str, figure: float | None) -> Site | None:
    """The line of this file that gives a library this setting with this value; None if there is none."""
    if site is None or figure is None:
        return None
    names = (keyword, *LIBRARIES.get(keyword, ()))
    given = (k.value for call in calls(module(site.file)) for k in call.keywords if k.arg in names)
    lines = (written(place(site.file, value), value, figure) for value in given)
    return next((line for line in lines if line is not None), None)


def arguments_on(site: Site, keyword: str, position: int | None = None) -> list[ast.expr]:
    """The values that a line's calls and tables have for a keyword, or at a position."""
    expressions: list[ast.expr] = []
    for node in (n for piece in written_on(site) for n in ast.walk(piece)):
        if isinstance(node, ast.Call):
            spread = [k.value for k in node.keywords if k.arg is None]
            entries = [ast.Subscript(v, ast.Constant(keyword), ast.Load()) for v in spread]
            expressions += [e for e in (argument(node, keyword, position),) if e is not None]
            expressions += [ast.copy_location(e, v) for e, v in zip(entries, spread, strict=True)]
        elif isinstance(node, ast.Dict):
            pairs = zip(node.keys, node.values, strict=True)
            expressions += [v for k, v in pairs if isinstance(k, ast.Constant) and k.value == keyword]
    return expressions


def written(site: Site, value: ast.AST, figure: float | None = None) -> Site | None:
    """The one line with the number that an expression on this line evaluates to."""
    ends = [(way, number(way[-1].node)) for way in values(site, value)]
    if figure is None:
        ways = [way for way, n in ends if n is not None]
    else:
        near = [way for way, n in ends if n is not None and math.isclose(n, figure, rel_tol=NEAR)]
        ways = near or [way for way, n in ends if n is None]
    return only(way[-1].site for way in ways)


def number(node: ast.AST) -> float | None:
    """The number that an expression spells out, with its sign; None if it is none."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        n = number(node.operand)
        return -n if n is not None else None
    value = node.value if isinstance(node, ast.Constant) else None
    plain = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if plain and abs(value) < 1e300 else None  # type: ignore[arg-type]


def word(site: Site | None, *words: str, texts: bool = False) -> Site | None:
    """The line with the word (a class, a function, a string, a table's key) that chose what runs on this
    line; the line itself if it has the word, or if there is no single such line.

    texts: only strings count.
    """
    if site is None:
        return None
    low = {w.lower() for w in words}
    nodes = written_on(site)
    if any(spells(n, low) for n in nodes):
        return site
    places: list[Site] = []
    for node in (a for n in nodes for a in atoms(n)):
        places += _looked_up(site, node, low)
        if not places and isinstance(node, (ast.Call, ast.Name, ast.Attribute, ast.Subscript)):
            places += _along(site, node.func if isinstance(node, ast.Call) else node, low, texts)
    return only(places) or site


def spells(node: ast.AST, low: set[str]) -> bool:
    """Whether a piece of source contains one of these words as a name."""
    return any(n.lower().strip("_") in low for n in names(node))


def _says(node: ast.AST, low: set[str]) -> bool:
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str) and node.value.lower() in low
    return not isinstance(node, (ast.Dict, ast.FunctionDef, ast.ClassDef)) and spells(node, low)


def _along(site: Site, node: ast.AST, low: set[str], texts: bool) -> list[Site]:
    """The farthest lines with the word, on the paths back from an expression."""
    places: list[Site] = []
    for way in values(site, node):
        steps = [s for s in way[1:] if _says(s.node, low) and s.how != "attribute"]
        steps = [s for s in steps if not texts or isinstance(s.node, ast.Constant)]
        if steps:
            keyed = _looked_up(steps[-1].site, steps[-1].node, low)
            places += keyed or [steps[-1].site]
        else:
            places += [at for s in way for at in _looked_up(s.site, s.node, low)]
    return places


def _looked_up(site: Site, node: ast.AST, low: set[str]) -> list[Site]:
    """The lines with the key that selects an entry with one of these words, as in ``KINDS[name]``."""
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
