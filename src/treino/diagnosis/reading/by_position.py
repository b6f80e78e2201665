"""Calls read alike however their arguments are given: ``score(net=net, rows=x)`` as ``score(net, x)`` and
``DataLoader(dataset=rows)`` as ``DataLoader(rows)``, so that the other readers need to know one way alone.
"""

import ast
from collections import Counter
from collections.abc import Sequence

Function = ast.FunctionDef | ast.AsyncFunctionDef
_LOSSES = (
    *("cross_entropy", "nll_loss", "mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss", "kl_div"),
    *("binary_cross_entropy", "binary_cross_entropy_with_logits"),
)
KNOWN = {  # what libraries call their first arguments
    **dict.fromkeys(_LOSSES, ("input", "target")),
    **dict.fromkeys(("Adam", "AdamW", "SGD", "RMSprop", "Adagrad", "LBFGS"), ("params",)),
    **dict.fromkeys(("clip_grad_norm_", "clip_grad_value_"), ("parameters",)),
    **dict.fromkeys(("softmax", "log_softmax", "argmax", "sigmoid", "index_select"), ("input",)),
    **dict.fromkeys(("fit", "fit_transform", "transform"), ("X",)),
    "DataLoader": ("dataset",),
    "Subset": ("dataset", "indices"),
    "random_split": ("dataset", "lengths"),
    "cat": ("tensors",),
    "stack": ("tensors",),
}


def by_position(module: ast.Module) -> ast.Module:
    """The same module: where a function or method bears a name that no other of the file bears, or is a known
    one of a library, what its calls give to the first arguments by name stands in its place. Numbers and
    words written out stay named, as they are settings.
    """
    nodes = list(ast.walk(module))
    known = [n for n in nodes if isinstance(n, Function)]
    count = Counter(f.name for f in known)
    methods = {id(f) for n in nodes if isinstance(n, ast.ClassDef) for f in n.body}
    own = {f.name: f for f in known if count[f.name] == 1}
    for call in nodes:
        if not isinstance(call, ast.Call) or not call.keywords:
            continue
        of_object = isinstance(call.func, ast.Attribute)
        name = getattr(call.func, "attr" if of_object else "id", "")
        function = own.get(name)
        if function is not None and (id(function) in methods) == of_object:
            _place(call, _arguments(function, of_object))
        elif not count[name] and name in KNOWN:
            _place(call, KNOWN[name])
    return module


def _arguments(function: ast.FunctionDef | ast.AsyncFunctionDef, of_object: bool) -> list[str]:
    """The names of the arguments that may be given by position, without the object itself."""
    given = [a.arg for a in (*function.args.posonlyargs, *function.args.args)]
    static = any(isinstance(d, ast.Name) and d.id == "staticmethod" for d in function.decorator_list)
    return given[1:] if of_object and not static else given


def _place(call: ast.Call, names: Sequence[str]) -> None:
    named = {k.arg: k for k in call.keywords}
    if None in named or any(isinstance(a, ast.Starred) for a in call.args):
        return  # ``**rows``: anything may be given
    for name in names[len(call.args) :]:
        keyword = named.get(name)
        if keyword is None or isinstance(keyword.value, ast.Constant):
            return
        call.args.append(keyword.value)
        call.keywords.remove(keyword)
