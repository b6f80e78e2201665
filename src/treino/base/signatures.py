"""Signatures, for help and completion, of functions whose keywords are the settings of a table."""

from collections.abc import Callable, Iterable
from inspect import Parameter, signature
from typing import Any


def own_parameters(function: Callable[..., Any]) -> list[Parameter]:
    """The function's parameters, without ``**keywords``."""
    return [p for p in signature(function).parameters.values() if p.kind is not Parameter.VAR_KEYWORD]


def keyword(name: str, default: Any = None, annotation: Any = Parameter.empty) -> Parameter:
    """A keyword-only parameter."""
    return Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def declare(function: Callable[..., Any], parameters: Iterable[Parameter]) -> None:
    """Show these parameters in the signature of a function that takes ``*args`` and ``**kwargs``."""
    declared = signature(function).replace(parameters=list(parameters))
    function.__signature__ = declared  # type: ignore[attr-defined]
    hints = {p.name: p.annotation for p in declared.parameters.values()}
    hints["return"] = declared.return_annotation
    function.__annotations__ = {name: hint for name, hint in hints.items() if hint is not Parameter.empty}
