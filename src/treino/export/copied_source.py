"""What a script copies: the source of functions, and of classes that aren't torch's."""

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterable
from typing import Any

from treino.errors import TreinoError
from treino.words import _

PLACES = {"torch.nn.modules.": "nn", "torch.optim.": "torch.optim"}


def class_name(kind: type) -> str:
    """What the script calls it: ``nn.MSELoss``, ``torch.optim.Adam``, or the bare name of one of its own."""
    place = next((place for module, place in PLACES.items() if f"{kind.__module__}.".startswith(module)), "")
    return f"{place}.{kind.__name__}" if place else kind.__name__


def before(kind: type) -> str:
    """What stands before its use: the source of a class that isn't torch's."""
    return "" if "." in class_name(kind) else f"{_source(kind)}\n\n\n"


def copied(functions: Iterable[Callable[..., Any]]) -> dict[str, str]:
    """These functions of treino's and those that they call, by name, as a script has them: without types."""
    texts: dict[str, str] = {}
    for function in functions:
        text = _source(function)
        (node,) = ast.parse(text).body
        assert isinstance(node, ast.FunctionDef)
        for arg in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs):
            arg.annotation = None
        used = {name.id for name in ast.walk(node) if isinstance(name, ast.Name)}
        called = (function.__globals__.get(name) for name in sorted(used))
        texts |= copied(f for f in called if inspect.isfunction(f) and f is not function)
        lines = text.split("\n")[node.body[0].lineno - 1 :]
        texts[node.name] = "\n".join([f"def {node.name}({ast.unparse(node.args)}):", *lines])
    return texts


def _source(kind: type | Callable[..., Any]) -> str:
    try:
        return textwrap.dedent(inspect.getsource(kind)).rstrip()
    except (OSError, TypeError):
        raise TreinoError(
            "export_class_source",
            _("The source of the class {name} can't be read, so a script can't have it.").format(
                name=kind.__name__
            ),
            _("Keep the class in a file; or use [[format=safetensors]]."),
        ) from None
