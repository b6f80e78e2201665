"""Flags that several verbs share, with their help."""

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, is_dataclass
from functools import wraps
from itertools import chain
from typing import Annotated, Any, Literal, get_type_hints

import cyclopts
from cyclopts import CoercionError, Group, Parameter, Token

import treino.data
from treino.base.option_marks import CODE, IDENTITY, NETWORK, PLAIN, READ, WRITE, OptionMark
from treino.base.signatures import declare, keyword, own_parameters
from treino.cli.screen import Replace, Screen
from treino.folders.access import Access
from treino.settings.options import Options, read_options
from treino.settings.setting_types import marks_of, types_in
from treino.settings.spec import FLAGS, GROUPS, MARKS, Settings, group_of

# ---- shared flags


def _whole(kind: object, tokens: Sequence[Token]) -> int:
    """The integer in a token; cyclopts would round 1.5 and 2.5 to 2."""
    try:
        return int(tokens[0].value)
    except ValueError:
        raise CoercionError(target_type=int, token=tokens[0]) from None


WHOLE = Parameter(converter=_whole)
Whole = Annotated[int | None, WHOLE, PLAIN]
Switch = Annotated[bool, PLAIN]
Words = Annotated[str | None, PLAIN]
FromFile = Annotated[str | None, READ]
ToFile = Annotated[str | None, WRITE]
DATA = READ.unless(lambda text: text in treino.data.BUILTINS)  # loaded when it is asked
"""The mark of an option that names data."""
ScreenFlag = Annotated[Screen, Parameter(parse=False)]
DataName = Annotated[str, Parameter(name="DATA", help="a built-in or a file, as for 'treino train'"), DATA]
RunName = Annotated[
    str, Parameter(help="a run's folder, its name in ./runs, or 'last', the newest", show_default=True), READ
]
Net = Annotated[
    str | None,
    Parameter(help="your own network's file again, in place of the run's copy: FILE.py:NAME"),
    CODE | READ,
]
Trust = Annotated[
    bool,
    Parameter(
        help="run the copy of your network's Python file that was sealed with the run, and nothing else"
    ),
    CODE,
]
DataFile = Annotated[FromFile, Parameter(name="--data", help="where the run's data file has moved")]
Track = Annotated[
    str | None,
    Parameter(help="tell trackers of it, comma-separated: tensorboard, mlflow, wandb, trackio"),
    CODE | NETWORK,
]


@dataclass(frozen=True)
class AlertFlags:
    """What shall happen when, while it trains."""

    alert: Annotated[
        list[str] | None,
        Parameter(
            help="CONDITION: ACTION, e.g. 'validation loss rises for 5 epochs: lr*0.5'; may be repeated"
        ),
        CODE | NETWORK,
    ] = None
    allow_network: Annotated[
        bool, Parameter(help="let alerts send to the addresses that they name"), NETWORK
    ] = False


@dataclass(frozen=True)
class SeveralFlags:
    """Several trainings that differ in their seed or fold, and the file of what folds predict."""

    seeds: Annotated[
        Whole, Parameter(help="train with so many seeds side by side: mean ± deviation of every figure")
    ] = None
    folds: Annotated[
        Whole, Parameter(help="cross-validation: test on each of so many folds (scikit-learn's) in turn")
    ] = None
    until: Annotated[
        Words, Parameter(help="with --seeds or --folds: count the steps to it, e.g. accuracy=0.8")
    ] = None
    to: Annotated[
        ToFile,
        Parameter(
            help="with --folds: write the rows with their out-of-fold predictions to this .csv or .xlsx file"
        ),
    ] = None
    replace: Replace = False


@dataclass(frozen=True)
class OriginFlags:
    """The run that a training takes its settings or weights from, or goes on with."""

    like: Annotated[
        FromFile,
        Parameter(
            help="the settings of a run, or of a network of a sweep (SWEEP:17), and its data unless DATA is"
            " named"
        ),
    ] = None
    weights: Annotated[
        FromFile, Parameter(help="begin with the weights of a run, or of a network of a sweep: SWEEP:17")
    ] = None
    branch: Annotated[
        FromFile,
        Parameter(help="a new run that goes on from a step of a run with other settings: RUN:STEP --lr 1e-3"),
    ] = None
    rewind: Annotated[
        FromFile, Parameter(help="the same in the run's own folder, as its next segment: RUN:STEP")
    ] = None
    sender: Annotated[
        Literal["agent"] | None,
        Parameter(
            help="with --branch or --rewind: who asks for it, as the run's record says; default: a person"
        ),
        IDENTITY,
    ] = None
    data_file: DataFile = None
    trust: Trust = False


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
    own = inspect.signature(verb).parameters.values()
    groups: dict[str, Any] = {
        p.name: p.annotation for p in own if is_table(p.annotation) or is_dataclass(p.annotation)
    }

    @wraps(verb)
    def verb_of_flags(*args: Any, **kwargs: Any) -> int:
        values = {}
        for name, group in groups.items():
            typed = {p.name: kwargs.pop(p.name) for p in _flags_of(group) if p.name in kwargs}
            values[name] = read_options(group, typed) if is_table(group) else group(**typed)
        return verb(*args, **values, **kwargs)

    declare(verb_of_flags, chain(*(_flags_of(groups[p.name]) if p.name in groups else [p] for p in own)))
    return verb_of_flags


def is_table(kind: Any) -> bool:
    """Whether this annotation is a table of options."""
    return isinstance(kind, type) and issubclass(kind, Options)


def _flags_of(group: Any) -> list[inspect.Parameter]:
    if is_table(group):
        return [_option(name, group.model_fields[name], mark) for name, mark in marks_of(group).items()]
    hints = get_type_hints(group, include_extras=True)
    defaults = {f.name: inspect.Parameter.empty if f.default is MISSING else f.default for f in fields(group)}
    return [keyword(name, default, hints[name]) for name, default in defaults.items()]


def _option(name: str, field: Any, mark: OptionMark | None) -> inspect.Parameter:
    """The flag of an option; the verb knows its default. A flag with a name of its own may be repeated."""
    own = (field.json_schema_extra or {}).get("flag")
    kind: Any = list[str] if own else int if field.annotation is int else str
    kind = float if float in types_in(field.annotation) else kind
    flag = Parameter(name=own, help=field.description, show_default=False)
    return keyword(name, None, Annotated[kind | None, *([WHOLE] if kind is int else []), flag, mark])


# ---- training flags


def setting_flags(names: Iterable[str] = Settings.model_fields) -> list[inspect.Parameter]:
    """A flag for each of these settings, for verbs that take ``**flags``."""
    flags = []
    for name in names:
        field, groups = Settings.model_fields[name], [*GROUPS.values()]
        boolean = field.annotation in (bool, bool | None)
        flag = cyclopts.Parameter(
            name=FLAGS[name],
            negative=f"--no-{FLAGS[name][2:]}" if boolean else (),
            help=field.description,
            group=Group(group_of(name), sort_key=groups.index(group_of(name))),
            show_default=False,
        )
        flags.append(keyword(name, None, Annotated[(bool if boolean else str) | None, flag, MARKS[name]]))
    return flags


def with_settings(names: Iterable[str]) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """Give a verb that takes ``**flags`` a flag for each of these settings only."""

    def decorated(verb: Callable[..., int]) -> Callable[..., int]:
        declare(verb, [*own_parameters(verb), *setting_flags(names)])
        return verb

    return decorated


def given(flags: Mapping[str, Any]) -> dict[str, Any]:
    """The settings whose flags were given."""
    return {name: value for name, value in flags.items() if value is not None}
