"""Find the lines to edit for rows, helpers and loops, and test what an expression does to rows."""

import ast
from collections.abc import Callable, Iterator
from itertools import zip_longest
from typing import Any

from treino_doctor.finding import Site
from treino_doctor.places import source
from treino_doctor.places.back import EACH, Step
from treino_doctor.places.bindings import call_sites, parameters
from treino_doctor.places.flow import origins
from treino_doctor.places.settings import FITS

Fits = Callable[[ast.AST], bool]
Lines = tuple[Site, ...]


def trail(site: Site | None, loader: Site | None = None, led: Lines = ()) -> Iterator[Step]:
    """Yield the inputs of a net's call or a loader on a line, and all that made them, nearest first."""
    start = loader or site
    if start is None:
        return
    made = source.calls(source.written_on(start), "DataLoader") if loader is not None else []
    every = made or source.calls(source.written_on(start))
    inputs = [a for call in every for a in source.argument_values(call)]
    seen: set[int] = set()
    part = (EACH,) if loader is not None else ()
    rounds = zip_longest(*(origins(start, node, led, part) for node in inputs[:8]))
    for way in (step for steps in rounds for step in steps if step is not None):
        if id(way.node) not in seen:
            seen.add(id(way.node))
            yield way


def maker(site: Site | None, fits: Fits, loader: Site | None = None, led: Lines = ()) -> Site | None:
    """The nearest line, on the rows' way to a net's call or a loader, whose expression fits."""
    return next((s.site for s in trail(site, loader, led) if fits(s.node)), None)


def caller(stack: tuple[Site, ...], *, most: int = 99) -> Site | None:
    """The innermost of these lines that doesn't only pass on its arguments."""
    return next((s for s in stack if not passes_on(s, most)), stack[0] if stack else None)


def passes_on(site: Site | None, most: int = 99) -> bool:
    """Whether a line only computes with 2 to ``most`` arguments: its caller chose their shapes."""
    inside = innermost_function(site)
    if site is None or inside is None or source.calls(source.written_on(site), *FITS):
        return False
    own = {*parameters(inside)} - {"self", "cls"}
    stored = {n.id for n in ast.walk(inside) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    pieces: list[ast.AST] = [inside.body] if isinstance(inside, ast.Lambda) else source.written_on(site)
    called = {source.name_of(c) for n in pieces for c in source.calls(n) if isinstance(c.func, ast.Name)}
    loads = {n.id for s in pieces for n in ast.walk(s) if isinstance(n, ast.Name)}
    differs = any(_difference_of(n, own - stored) for s in pieces for n in ast.walk(s))
    return differs or (len(own) <= most and len((own - stored - called) & loads) >= 2)


def _difference_of(node: ast.AST, own: set[str]) -> bool:
    """Whether a node is a difference of two arguments: ``prediction - target``."""
    sides = [node.left, node.right] if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub) else []
    return bool(sides) and all(isinstance(s, ast.Name) and s.id in own for s in sides)


def innermost_function(site: Site | None) -> Any:
    """The innermost function or lambda around a line; None if there is none."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
    around = source.around(site) if site is not None else []
    return next((n for n in reversed(around) if isinstance(n, kinds)), None)


def only_caller(site: Site | None) -> Site | None:
    """The line that calls the function around a line, if it is a single one; None otherwise."""
    inside = innermost_function(site)
    if site is None or inside is None:
        return None
    return source.only(source.place(site.file, c) for c, _ in call_sites(site.file, inside))


def batches(sites: tuple[Site, ...]) -> Site | None:
    """The head of the innermost loop over batches around these lines; loops in ``forward`` don't count."""
    for site in sites:
        inside = source.function(site)
        heads = [n for n in source.loops(site) if isinstance(n, ast.For)]
        if heads and getattr(inside, "name", "") != "forward":
            return Site(site.file, heads[-1].lineno, site.function)
    return sites[0] if sites else None


SECTIONS = ("split", "tensor_split", "array_split", "split_with_sizes")
SPLITS = ("train_test_split", "random_split", "KFold", "StratifiedKFold", "ShuffleSplit", "GroupShuffleSplit")
ORDERS = ("randperm", "permutation", "argsort", "sort_values", "sort", "sorted", "lexsort", "sort_index")
JOINS = ("cat", "concat", "concatenate", "vstack", "append", "hstack", "r_", "ConcatDataset", "stack")
REPEATS = ("repeat", "tile", "repeat_interleave", "resample", "fit_resample")
TENSORS = ("tensor", "as_tensor", "from_numpy", "FloatTensor", "Tensor", "DoubleTensor")
CONVERSIONS = (*TENSORS, "stack", "column_stack", "to_numpy", "asarray")
EXTREMES = ("max", "amax", "nanmax", "min", "amin", "quantile", "percentile")
SPREADS = ("std", "var", "nanstd", "ptp", "norm", *EXTREMES)
SCALERS = ("fit_transform", "transform", "scale", "minmax_scale", "normalize", "standardize", "zscore")
STEEP = ("log", "log10", "log2", "sqrt", "arccos", "arcsin", "divide", "true_divide", "div")


def cuts(value: ast.AST) -> bool:
    """Whether an expression takes rows by position: ``x[:n]``, ``frame.iloc[n:]``, ``x.split([n, m])``."""
    for node in ast.walk(value):
        if isinstance(node, ast.Subscript):
            rows = node.slice.elts[0] if isinstance(node.slice, ast.Tuple) and node.slice.elts else node.slice
            if isinstance(rows, ast.Slice) and (rows.lower is None) != (rows.upper is None):
                return True
        elif isinstance(node, ast.Call):
            name, lists = source.name_of(node), any(isinstance(a, (ast.List, ast.Tuple)) for a in node.args)
            if name in ("head", "tail", "narrow", "islice") or (name in SECTIONS and lists):
                return True
            if name in ("range", "arange", "slice") and len(node.args) == 2:
                return True
            if name == "Subset" and source.calls(node, "range"):
                return True
    return False


def parts(value: ast.AST) -> bool:
    """Whether an expression takes some of the rows: by position, at random, by a condition or by index."""
    if cuts(value) or source.calls(value, *SPLITS, "Subset", "train_test_split"):
        return True
    indexed = (n.slice for n in ast.walk(value) if isinstance(n, ast.Subscript))
    return any(not isinstance(n, (ast.Constant, ast.Slice)) for n in indexed)


def calling(*names: str) -> Fits:
    """A test of whether an expression calls a function or a method with one of these names."""
    return lambda value: bool(source.calls(value, *names))


joins = calling(*JOINS)  # whether an expression joins rows of several tables
multiplies = calling(*JOINS, *REPEATS)  # multiplies rows: it joins, repeats or draws with replacement
orders = calling(*ORDERS)  # reorders rows, randomly or sorted


def converts(value: ast.AST) -> bool:
    """Whether an expression makes a tensor, or numbers for one, from a table."""
    values = any(isinstance(n, ast.Attribute) and n.attr == "values" for n in ast.walk(value))
    return values or bool(source.calls(value, *CONVERSIONS))


def quotients(value: ast.AST) -> list[ast.BinOp]:
    """The divisions in an expression."""
    return [n for n in ast.walk(value) if isinstance(n, ast.BinOp) and isinstance(n.op, ast.Div)]


def scales(value: ast.AST) -> bool:
    """Whether an expression divides by a spread, or calls a scaler."""
    by = (n.right for n in quotients(value))
    return bool(source.calls(value, *SCALERS)) or any(source.calls(n, *SPREADS) for n in by)


def divides(value: ast.AST) -> bool:
    """Whether an expression may give NaN: a logarithm, a root or a quotient by a name, or a difference, that
    is no spread."""
    steep = source.calls(value, *STEEP)
    by = [a for c in steep for a in (*c.args, *([c.func.value] if isinstance(c.func, ast.Attribute) else []))]
    by += [n.right for n in quotients(value)]
    plain = [n for n in by if isinstance(n, (ast.Name, ast.Attribute, ast.Subscript))]
    differences = (n for n in by if isinstance(n, ast.BinOp) and isinstance(n.op, ast.Sub))
    zero = any(not source.calls(n, *SPREADS) for n in differences)
    return zero or any(source.name_of(n) not in (*SPREADS, "pi") for n in plain)


def misses(value: ast.AST) -> bool:
    """Whether an expression is or makes a missing value: ``np.nan``; ``shift``, ``pct_change``, ``merge``."""
    brings = ("shift", "pct_change", "diff", "rolling", "merge", "reindex", "pivot", "to_numeric", "read_csv")
    return bool(source.calls(value, *brings)) or bool({"nan", "inf"} & source.names(value))
