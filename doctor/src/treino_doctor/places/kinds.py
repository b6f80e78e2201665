"""Test what an expression does to rows, by its torch, NumPy, pandas and scikit-learn functions."""

import ast

from treino_doctor.places.source import calls, name_of, names

SECTIONS = ("split", "tensor_split", "array_split", "split_with_sizes")
SPLITS = ("train_test_split", "random_split", "KFold", "StratifiedKFold", "ShuffleSplit", "GroupShuffleSplit")
ORDERS = ("randperm", "permutation", "argsort", "sort_values", "sort", "sorted", "lexsort", "sort_index")
JOINS = ("cat", "concat", "concatenate", "vstack", "append", "hstack", "r_", "ConcatDataset", "stack")
CONVERSIONS = (
    *("tensor", "as_tensor", "from_numpy", "FloatTensor", "Tensor", "DoubleTensor", "stack", "column_stack"),
    *("to_numpy", "asarray"),
)
SPREADS = (
    *("std", "var", "nanstd", "ptp", "norm", "max", "amax", "nanmax", "min", "amin"),
    *("quantile", "percentile"),
)


def cuts(value: ast.AST) -> bool:
    """Whether an expression takes rows by position: ``x[:n]``, ``frame.iloc[n:]``, ``x.split([n, m])``."""
    for node in ast.walk(value):
        if isinstance(node, ast.Subscript):
            rows = node.slice.elts[0] if isinstance(node.slice, ast.Tuple) and node.slice.elts else node.slice
            if isinstance(rows, ast.Slice) and (rows.lower is None) != (rows.upper is None):
                return True
        elif isinstance(node, ast.Call):
            name, lists = name_of(node), any(isinstance(a, (ast.List, ast.Tuple)) for a in node.args)
            if name in ("head", "tail", "narrow", "islice") or (name in SECTIONS and lists):
                return True
            if name in ("range", "arange", "slice") and len(node.args) == 2:
                return True
            if name == "Subset" and calls(node, "range"):
                return True
    return False


def parts(value: ast.AST) -> bool:
    """Whether an expression takes some of the rows: by position, at random, by a condition or by index."""
    if cuts(value) or calls(value, *SPLITS, "Subset", "train_test_split"):
        return True
    return any(
        isinstance(n, ast.Subscript) and not isinstance(n.slice, (ast.Constant, ast.Slice))
        for n in ast.walk(value)
    )


def joins(value: ast.AST) -> bool:
    """Whether an expression joins rows of several tables."""
    return bool(calls(value, *JOINS))


def multiplies(value: ast.AST) -> bool:
    """Whether an expression multiplies rows: it joins, repeats or draws with replacement."""
    many = ("repeat", "tile", "repeat_interleave", "resample", "fit_resample")
    return joins(value) or bool(calls(value, *many))


def converts(value: ast.AST) -> bool:
    """Whether an expression makes a tensor, or numbers for one, from a table."""
    values = any(isinstance(n, ast.Attribute) and n.attr == "values" for n in ast.walk(value))
    return values or bool(calls(value, *CONVERSIONS))


def scales(value: ast.AST) -> bool:
    """Whether an expression divides by a spread, or calls a scaler."""
    if calls(
        value, "fit_transform", "transform", "scale", "minmax_scale", "normalize", "standardize", "zscore"
    ):
        return True
    return any(
        isinstance(n, ast.BinOp) and isinstance(n.op, ast.Div) and calls(n.right, *SPREADS)
        for n in ast.walk(value)
    )


def divides(value: ast.AST) -> bool:
    """Whether an expression may give NaN: a logarithm, a root or a quotient by a name that is no spread."""
    steep = calls(value, "log", "log10", "log2", "sqrt", "arccos", "arcsin", "divide", "true_divide", "div")
    by = [a for c in steep for a in (*c.args, *([c.func.value] if isinstance(c.func, ast.Attribute) else []))]
    quotients = [n for n in ast.walk(value) if isinstance(n, ast.BinOp) and isinstance(n.op, ast.Div)]
    by += [n.right for n in quotients]
    plain = [n for n in by if isinstance(n, (ast.Name, ast.Attribute, ast.Subscript))]
    return any(name_of(n) not in (*SPREADS, "pi") for n in plain)


def misses(value: ast.AST) -> bool:
    """Whether an expression is or makes a missing value: ``np.nan``; ``shift``, ``pct_change``, ``merge``."""
    brings = ("shift", "pct_change", "diff", "rolling", "merge", "reindex", "pivot", "to_numeric", "read_csv")
    return bool(calls(value, *brings)) or bool({"nan", "inf"} & names(value))


def orders(value: ast.AST) -> bool:
    """Whether an expression reorders rows, randomly or sorted."""
    return bool(calls(value, *ORDERS))
