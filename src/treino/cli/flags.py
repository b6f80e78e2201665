"""Flags that several verbs share, with their help."""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import MISSING, dataclass, fields, is_dataclass
from functools import wraps
from typing import Annotated, Any, get_type_hints

import cyclopts
from cyclopts import CoercionError, Group, Parameter, Token

from treino.cli.screen import Screen
from treino.folders.access import Access
from treino.settings.options import Options, read_options
from treino.settings.spec import FLAGS, GROUPS, Settings, group_of

# ---- shared flags


def _whole(kind: object, tokens: Sequence[Token]) -> int:
    """The integer in a token; cyclopts would round 1.5 and 2.5 to 2."""
    try:
        return int(tokens[0].value)
    except ValueError:
        raise CoercionError(target_type=int, token=tokens[0]) from None


WHOLE = Parameter(converter=_whole)
ScreenFlag = Annotated[Screen, Parameter(parse=False)]
RunName = Annotated[
    str, Parameter(help="a run's folder, its name in ./runs, or 'last', the newest", show_default=True)
]
Net = Annotated[
    str | None, Parameter(help="your own network's file again, in place of the run's copy: FILE.py:NAME")
]
Trust = Annotated[
    bool,
    Parameter(
        help="run the copy of your network's Python file that was sealed with the run, and nothing else",
        negative=(),
    ),
]
DataFile = Annotated[str | None, Parameter(name="--data", help="where the run's data file has moved")]


Track = Annotated[
    str | None,
    Parameter(help="tell trackers of it, comma-separated: tensorboard, mlflow, wandb, trackio"),
]


@dataclass(frozen=True)
class AlertFlags:
    """What shall happen when, while it trains."""

    alert: Annotated[
        list[str] | None,
        Parameter(
            help="CONDITION: ACTION, e.g. 'validation loss rises for 5 epochs: lr*0.5'; may be repeated",
            negative=(),
        ),
    ] = None
    allow_network: Annotated[
        bool, Parameter(help="let alerts send to the addresses that they name", negative=())
    ] = False


@dataclass(frozen=True)
class AccessFlags:
    """What a run may need: the user's network, or permission to run its copy, and its data file."""

    net: Net = None
    trust: Trust = False
    data_file: DataFile = None

    @property
    def access(self) -> Access:
        return Access(self.net, self.trust, self.data_file)


def with_flags(verb: Callable[..., int]) -> Callable[..., int]:
    """The verb with a flag for each field of its parameters that are dataclasses or tables of options.

    A dataclass's parameter gets its flags, a table's the checked options.
    """
    signature = inspect.signature(verb)
    groups: dict[str, Any] = {
        p.name: p.annotation
        for p in signature.parameters.values()
        if is_table(p.annotation) or is_dataclass(p.annotation)
    }
    parameters: list[inspect.Parameter] = []
    for parameter in signature.parameters.values():
        group = groups.get(parameter.name)
        parameters += [parameter] if group is None else _parameters(group)

    @wraps(verb)
    def verb_of_flags(*args: Any, **kwargs: Any) -> int:
        values = {}
        for name, group in groups.items():
            given = {p.name: kwargs.pop(p.name) for p in _parameters(group) if p.name in kwargs}
            values[name] = read_options(group, given) if is_table(group) else group(**given)
        return verb(*args, **values, **kwargs)

    verb_of_flags.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    verb_of_flags.__annotations__ = {p.name: p.annotation for p in parameters}
    return verb_of_flags


def is_table(kind: Any) -> bool:
    """Whether this annotation is a table of options."""
    return isinstance(kind, type) and issubclass(kind, Options)


def _parameters(group: Any) -> list[inspect.Parameter]:
    if is_table(group):
        return [_option(name, field) for name, field in group.model_fields.items()]
    hints = get_type_hints(group, include_extras=True)
    return [
        inspect.Parameter(
            f.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=inspect.Parameter.empty if f.default is MISSING else f.default,
            annotation=hints[f.name],
        )
        for f in fields(group)
    ]


def _option(name: str, field: Any) -> inspect.Parameter:
    """The flag of an option; the verb knows its default. One with a name of its own may be repeated."""
    own = (field.json_schema_extra or {}).get("flag")
    text = str(field.annotation)
    kind: Any = list[str] if own else int if field.annotation is int else str
    kind = float if text.startswith("typing.Annotated[float") or field.annotation == float | None else kind
    flag = Parameter(name=own, help=field.description, negative=(), show_default=False)
    annotation = Annotated[kind | None, WHOLE, flag] if kind is int else Annotated[kind | None, flag]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


# ---- training flags


def setting_flags() -> list[inspect.Parameter]:
    """A flag for each setting, for verbs that take ``**flags``."""
    flags = []
    for name, field in Settings.model_fields.items():
        boolean = field.annotation in (bool, bool | None)
        flag = cyclopts.Parameter(
            name=FLAGS[name],
            negative=f"--no-{FLAGS[name][2:]}" if boolean else (),
            help=field.description,
            group=Group(group_of(name), sort_key=GROUPS.index(group_of(name))),
            show_default=False,
        )
        kind = Annotated[(bool if boolean else str) | None, flag]  # type: ignore[valid-type]
        flags.append(inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=kind))
    return flags
