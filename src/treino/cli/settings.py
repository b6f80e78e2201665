"""The training flags: one for each setting of the table in ``spec.py``."""

import inspect
from collections.abc import Callable
from typing import Annotated, Any

from cyclopts import Group, Parameter

from treino.spec import FLAGS, GROUPS, Settings, group_of


def with_settings(verb: Callable[..., int]) -> Callable[..., int]:
    """Give a verb that takes ``**asked`` one flag for each setting of the table."""
    own = [p for p in inspect.signature(verb).parameters.values() if p.kind is not p.VAR_KEYWORD]
    flags = []
    for name, field in Settings.model_fields.items():
        group = Group(group_of(name), sort_key=GROUPS.index(group_of(name)))
        boolean = field.annotation is bool
        parameter = Parameter(
            name=FLAGS[name],
            negative=f"--no-{FLAGS[name][2:]}" if boolean else (),
            help=field.description,
            group=group,
            show_default=False,
        )
        flags.append(_flag(name, bool if boolean else str, parameter))
    parameters = [*own, *flags]

    def verb_with_settings(*args: Any, **kwargs: Any) -> int:
        return verb(*args, **kwargs)

    verb_with_settings.__name__, verb_with_settings.__doc__ = verb.__name__, verb.__doc__
    verb_with_settings.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    verb_with_settings.__annotations__ = {p.name: p.annotation for p in parameters}
    return verb_with_settings


def _flag(name: str, kind: type, parameter: Parameter) -> inspect.Parameter:
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[kind | None, parameter]
    )
