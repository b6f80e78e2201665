"""The line that makes NaN or infinity out of whole numbers, as the source says it."""

import ast
import re
from itertools import islice

from treino.diagnosis.finding import Site
from treino.diagnosis.reading.label_lines import DRAWS
from treino.diagnosis.reading.provenance import scoped, target_names
from treino.diagnosis.reading.source import (
    call_at,
    call_name,
    called,
    first_given,
    names_in,
    statement_at,
    tree,
)
from treino.diagnosis.reading.traced import Value, traced
from treino.diagnosis.watch.where import Spot

STEEP = ("log", "log2", "log10", "sqrt", "arccos", "arcsin", "acos", "asin", "arctanh", "logit", "reciprocal")
GAPS = ("shift", "diff", "rolling", "pct_change", "reindex", "unstack", "pivot", "pivot_table", "resample")
FILLS = ("dropna", "fillna", "interpolate", "ffill", "bfill", "nan_to_num", "fit_transform", "notna", "isnan")
CLEANS = ("nan_to_num", "replace", "isfinite", "isinf", "masked_invalid")
GUARDS: tuple[str, ...] = (
    "clip",
    "clamp",
    "maximum",
    "clamp_min",
    "max",
    "where",
    "abs",
    "exp",
    "len",
    "replace",
    "fillna",
)
GUARDS += ("square", "norm", "linspace", "arange", "sum_of_squares", "bincount", "range", "softplus")
SPREADS = {"std", "sd", "sigma", "scale", "dev", "deviation", "stds", "spread", "var", "ptp", "iqr"}
CENTRES = {"mean", "mu", "avg", "average", "center", "centre", "median", "min", "lo", "low", "means"}
HEALS = ("dropna", "fillna", "interpolate", "ffill", "bfill", "nan_to_num", "backfill")
READS = ("read_csv", "read_parquet", "read_excel", "read_sql", "read_json", "loadtxt", "genfromtxt")
FEW = 6  # steps from a divisor to what it is made of
NEAR = 4  # lines that features are made on which may each be to blame


def rows_given(led: tuple[tuple[Site, Spot], ...]) -> Value | None:
    """What a net was called with."""
    call = call_at(*led[0]) if led else None
    given = first_given(call) if call is not None else None
    return Value(led[0][0], given, (), led[1:]) if given is not None else None


def nan_line(start: Value | None) -> Site | None:
    """The one line that takes a logarithm, a root or a quotient of what may be zero, or else the last that
    leaves gaps which nothing fills; None where that isn't known.
    """
    steep: set[Site] = set()
    gaps: list[Site] = []
    partial: list[Site] = []
    filled = cleaned = False
    for v in traced(start) if start is not None else ():
        node, here = v.node, Site(v.site.file, getattr(v.node, "lineno", v.site.line))
        name = call_name(node) if isinstance(node, ast.Call) else ""
        if name in READS or (is_missing(node) and not (filled and gaps)):
            return None  # gaps of the table itself
        if isinstance(node, ast.Call) and name == "dropna" and _drops_some(node):
            partial.append(here)
        filled, cleaned = filled or name in FILLS, cleaned or name in CLEANS
        if cleaned or names_in(statement_at(here)) & DRAWS:
            continue
        if _is_steep(node):
            steep.add(here)
        elif name == "pct_change" and filled:
            steep.add(here)  # of a zero it makes infinity, which no dropna drops
        elif name in GAPS and not filled:
            gaps.append(here)
    if not steep:
        return next(iter([*partial, *gaps]), None)
    lines = sorted(steep, key=lambda s: s.line)
    together = len({s.file for s in lines}) == 1 and lines[-1].line - lines[0].line <= NEAR
    return lines[len(lines) // 2] if together else None


def standardised_at(start: Value | None) -> Site | None:
    """The line nearest to the net that divides by a deviation that it computes itself: ``/ part.std(0)``."""
    for v in traced(start) if start is not None else ():
        by = v.node.right if isinstance(v.node, ast.BinOp) and isinstance(v.node.op, ast.Div) else None
        if is_missing(v.node) or (isinstance(v.node, ast.Call) and call_name(v.node) in READS):
            return None
        if by is not None and _is_deviation(Value(v.site, by, (), v.frames)):
            return Site(v.site.file, by.lineno)
    return None


def _is_deviation(by: Value) -> bool:
    """Whether a divisor is a deviation of columns, which nothing keeps away from zero: ``self.sd``, too."""
    for v in islice(traced(by), FEW):
        if called(v.node, "std", "var"):
            return not _guarded(v.node)
        if (v.node is not by.node and not isinstance(v.node, (ast.Name, ast.Attribute))) or _changed(v):
            return False
    return False


def _changed(v: Value) -> bool:
    """Whether parts of it are written anew: ``sd[sd == 0] = 1``."""
    module = tree(v.site.file)
    names = names_in(v.node) - {"self"}
    written = (n for n in ast.walk(module) if isinstance(n, ast.Subscript)) if module is not None else ()
    return any(isinstance(n.ctx, ast.Store) and names_in(n.value) & names for n in written)


def _drops_some(call: ast.Call) -> bool:
    """``dropna(subset=...)``, ``dropna(how="all")``: rows with gaps elsewhere stay."""
    given = {k.arg: k.value for k in call.keywords}
    return bool({"subset", "thresh"} & given.keys()) or ("how" in given and _says(given["how"], "all"))


def is_missing(node: ast.AST) -> bool:
    """``np.nan``, ``float("nan")``, ``None``"""
    if isinstance(node, ast.Constant):
        return node.value is None or str(node.value).lower() == "nan"
    return isinstance(node, ast.Attribute) and node.attr.lower() in ("nan", "na")


def _is_steep(node: ast.AST) -> bool:
    if isinstance(node, ast.Call) and call_name(node) in STEEP:
        own = node.func.value if isinstance(node.func, ast.Attribute) and not node.args else None
        return not _guarded(node.args[0] if node.args else own)
    if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Div):
        return False
    standardised = _said(node.right) & SPREADS or (_is_difference(node.left) and _said(node.left) & CENTRES)
    return not standardised and not _guarded(node.right)


def _said(node: ast.AST) -> set[str]:
    """The words of an expression, those of its strings too."""
    return set(re.findall(r"[a-z]+", ast.unparse(node).lower()))


def _is_difference(node: ast.AST) -> bool:
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub)


def _guarded(node: ast.AST | None) -> bool:
    """Whether an argument is kept away from zero, or is a plain number."""
    if node is None or not names_in(node) or called(node, *GUARDS):
        return True
    if any(n.isupper() for n in names_in(node)) or names_in(node) & {"shape", "size", "eps", "epsilon", "pi"}:
        return True
    sums = [n for n in ast.walk(node) if isinstance(n, ast.BinOp) and isinstance(n.op, ast.Add)]
    return any(isinstance(side, ast.Constant) for n in sums for side in (n.left, n.right))


def unkept_fill(path: str) -> Site | None:
    """The first line that fills or drops gaps and keeps nothing of it: ``table.dropna()``."""
    module = tree(path)
    every = scoped(module) if module is not None else ()
    lines = [n.lineno for f, n in every if isinstance(n, ast.stmt) and _unkept(f or module or n, n)]
    return Site(path, min(lines)) if lines else None


def _unkept(around: ast.AST, node: ast.stmt) -> bool:
    """Whether a statement heals a table, and nobody takes what it gives."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        call = node.value
        inside = any(
            k.arg in ("inplace", "out") or (k.arg == "copy" and _says(k.value, False)) for k in call.keywords
        )
        a_part = isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Subscript)
        return _heals(call) and (not inside or a_part)  # what is taken out of a table is a copy
    target = node.targets[0] if isinstance(node, ast.Assign) and _heals(node.value) else None
    if not isinstance(target, ast.Name):
        return False
    name = target.id
    used = [getattr(n, "lineno", 0) for n in ast.walk(around) if _reads(n, name) and not _inside(node, n)]
    loops = [n for n in ast.walk(around) if isinstance(n, ast.For) and _inside(n, node)]
    turns = next((n for n in reversed(loops) if name in target_names(n.target)), None)
    if turns is not None:  # ``for part in (train, test): part = part.fillna(0)``
        return not any(node.lineno < line <= (turns.end_lineno or 0) for line in used)
    since = 0 if loops or isinstance(around, ast.Module) else node.lineno
    shared = any(isinstance(n, (ast.Global, ast.Nonlocal)) for n in ast.walk(around))
    return not shared and not any(line > since for line in used)


def _reads(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load)


def _inside(outer: ast.AST, inner: ast.AST) -> bool:
    return any(n is inner for n in ast.walk(outer))


def _says(node: ast.AST, value: object) -> bool:
    return isinstance(node, ast.Constant) and node.value is value


def _heals(node: ast.AST) -> bool:
    """Whether an expression fills or drops gaps: ``fillna``, ``replace(inf, ...)``, ``imputer.transform``."""
    if not isinstance(node, ast.Call):
        return False
    name, said = call_name(node), ast.unparse(node).lower()
    imputed = name in ("transform", "fit_transform") and "imput" in said
    return name in HEALS or imputed or (name in ("replace", "where") and ("nan" in said or "inf" in said))
