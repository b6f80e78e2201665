"""The commands for a script in the studio, with types and ranges, and ``tr.button``."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from treino.base.errors import Refusal, TreinoError, nearest
from treino.base.words import _

BUTTON = Refusal(
    "A button's name has 1 to {limit} letters, unlike {name!r}.",
    'Give it a short one: tr.button("evaluate now", evaluate)',
)
BUTTON_UNCALLABLE = Refusal(
    "The button '{name}' needs a function to call, not {value!r}.",
    "Give the function itself, without calling it: tr.button({name!r}, evaluate)",
    rule="button",
)

# ---- commands

SETTINGS = "lr", "weight_decay", "momentum", "beta1", "beta2"
LARGEST = 1_000_000  # largest learning rate and weight decay
BELOW_ONE = "momentum", "beta1", "beta2"  # a running average with 1 would never forget
Index = Annotated[int, Field(ge=0, le=9999)]
Value = Annotated[float, Field(ge=0, le=LARGEST, allow_inf_nan=False)]


class Command(BaseModel):
    """What a page asks of a script, without fields of other names."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")


class Control(Command):
    """Pause before the next step, go on, or end the script as Ctrl-C does.

    sleep: pause while another branch goes on; a sleeping process ends with the studio. show: print to the
    terminal from now on.
    """

    do: Literal["pause", "play", "stop", "sleep", "show"]


class Steps(Command):
    """Go on for ``count`` optimizer steps, then pause."""

    do: Literal["step"]
    count: Annotated[int, Field(ge=1, le=1000)] = 1


class Watch(Command):
    """Start or stop measuring figures. on: whether anybody reads them."""

    do: Literal["watch"]
    on: bool


class Press(Command):
    """Call the function of a button."""

    do: Literal["press"]
    button: str


class SetValue(Command):
    """Set a hyper-parameter of an optimizer's group from the next step on.

    optimizer: the optimizer's number, in the order of first steps. group: index in its ``param_groups``.
    """

    do: Literal["set"]
    optimizer: Index = 0
    group: Index = 0
    name: Literal["lr", "weight_decay", "momentum", "beta1", "beta2"]
    value: Value

    @model_validator(mode="after")
    def _below_one(self) -> "SetValue":
        if self.name in BELOW_ONE and self.value >= 1:
            raise ValueError(self.name)
        return self


class MakeCheckpoint(Command):
    """Let a copy of the process sleep before the next step. marked: by hand. number: the checkpoint's."""

    do: Literal["checkpoint"]
    marked: bool = True
    number: Index = 0


ScriptCommand = Control | Steps | Watch | Press | SetValue | MakeCheckpoint


class KeepCheckpoints(Command):
    """Start or stop making checkpoints from time to time."""

    do: Literal["checkpoints"]
    on: bool


class Rewind(Command):
    """Go on from a checkpoint. changes: to the first optimizer, whose groups keep their ratios."""

    do: Literal["rewind"]
    checkpoint: Index
    changes: dict[Literal["lr", "weight_decay"], Value] = {}


class Return(Command):
    """Go on with a process that sleeps since another went on from a checkpoint. branch: 0 is the first."""

    do: Literal["return"]
    branch: Index


class Fan(Command):
    """Go on from a checkpoint for ``steps`` steps in several ways side by side. count: 0 ends the fan.

    values: one per future; default: ``count`` learning rates around the present one, a decade to either side.
    """

    do: Literal["fan"]
    checkpoint: Index = 0
    kind: Literal["lr", "weight_decay"] = "lr"
    values: Annotated[list[Value], Field(max_length=8)] = []
    count: Annotated[int, Field(ge=0, le=8)] = 8
    steps: Annotated[int, Field(ge=1, le=100_000)] = 100

    @model_validator(mode="after")
    def _several(self) -> "Fan":
        if (len(self.values) if self.values else self.count) == 1:
            raise ValueError("count")
        return self


class Adopt(Command):
    """Go on with one future of the fan, and end the others."""

    do: Literal["adopt"]
    future: Annotated[int, Field(ge=0, le=7)]


ForkCommand = KeepCheckpoints | Rewind | Return | Fan | Adopt
_READER: TypeAdapter[ScriptCommand | ForkCommand] = TypeAdapter(
    Annotated[ScriptCommand | ForkCommand, Field(discriminator="do")]
)
_FIELDS = {
    verb: ", ".join(command.model_fields)
    for command in get_args(ScriptCommand | ForkCommand)
    for verb in get_args(command.model_fields["do"].annotation)
}


def read_command(request: Any) -> ScriptCommand | ForkCommand:
    """Parse a command, such as ``{"do": "set", "optimizer": 0, "group": 0, "name": "lr", "value": 0.1}``.

    Raises:
        TreinoError: no such command, or a value of a wrong type or out of range (rule ``studio_command``).
    """
    try:
        return _READER.validate_python(request)
    except ValidationError as error:
        message, hint = _explained(request, error)
        raise TreinoError("studio_command", message, hint) from None


def _explained(request: Any, error: ValidationError) -> tuple[str, str]:
    """(message, hint) for an invalid command: the wrong value and the allowed ones."""
    first = error.errors(include_url=False, include_input=False)[0]
    fields = dict(request) if isinstance(request, Mapping) else {}
    do, name, value = fields.get("do"), fields.get("name"), fields.get("value")
    if not isinstance(do, str) or do not in _FIELDS:
        return _("A script's page has no command {do!r}.").format(do=do), nearest(str(do), _FIELDS)
    key = str(first["loc"][-1])
    if do == "set" and key == "name" and first["type"] != "missing":
        return _("An optimizer's {name!r} can't be set.").format(name=name), nearest(str(name), SETTINGS)
    if do == "set" and first["type"] != "missing" and key in ("value", "set"):
        message = _("{name} can't be {value!r}.").format(name=name, value=value)
        if name in BELOW_ONE:
            return message, _("Give a number from 0 to below 1.")
        return message, _("Give a number from 0 to {limit:,}.").format(limit=LARGEST)
    message = _("The command {do} has a wrong {key}: {value!r}.").format(
        do=do, key=key, value=fields.get(key)
    )
    return message, _("It takes: {fields}.").format(fields=_FIELDS[do])


# ---- ``tr.button``

LONGEST = 60  # maximum number of characters of a name

buttons: dict[str, Callable[[], object]] = {}
"""The function of each button, by the button's name."""


def button(name: str, function: Callable[[], object]) -> None:
    """Add a button to the studio's page that calls ``function`` between two optimizer steps.

    The function runs in the thread that trains, so the network doesn't change meanwhile. Outside of the
    studio the function is only stored and never called. A second button of the same name replaces the
    first.

    Raises:
        TreinoError: the name is empty or longer than 60 letters, or the function can't be called (rule
            ``button``).
    """
    if not isinstance(name, str) or not 0 < len(name.strip()) <= LONGEST:
        raise BUTTON(limit=LONGEST, name=name)
    if not callable(function):
        raise BUTTON_UNCALLABLE(name=name, value=function)
    buttons[name] = function
