"""The commands that a page may send to the studio's server: a closed set, with types and ranges.

docs/studio-protocol.md describes each command. All else is refused with the rule, the value and a hint.
"""

import math
from collections.abc import Sequence
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from treino.base.document_fields import AS_TUPLE, Pair, expected
from treino.base.errors import Refusal, TreinoError, nearest
from treino.base.text import shortened
from treino.base.words import _, setting
from treino.settings import Settings, Speed, StepCount, read_settings
from treino.training import ANY_SETTING, files_in_space, read_space

UNKNOWN_VERB = Refusal("This page has no command {verb}.", "{hint}")
NO_JSON = Refusal("That is no JSON: {reason}.", "A message is one JSON object, such as {example}.")
NO_VERB = Refusal('A message needs a verb in "do", and this one has {value}.', "{hint}")
SETTING_OF_THE_COMMAND_LINE = Refusal(
    "A page can't choose {name}: it names a file.",
    "Start it from the command line: treino studio DATA {name} …",
)

VERSION = 1
LONGEST_MESSAGE = 1 << 19  # bytes: a picture of 256 × 256 pixels in colour, in base64, and more
LARGEST_ID = 2**53 - 1  # the largest exact integer in JavaScript
_JSON: TypeAdapter[Any] = TypeAdapter(Any)  # reads any JSON
SHOWN = 60  # maximum number of letters of a wrong value in an error message

Step = Annotated[int, Field(ge=0, le=10_000_000_000)]
Text = Annotated[str, Field(min_length=1, max_length=200)]
Unit = Annotated[
    tuple[Annotated[int, Field(ge=0, le=10_000)], Annotated[int, Field(ge=0, le=10_000_000)]], AS_TUPLE
]
PictureOfRow = Annotated[
    tuple[Literal["train", "validation", "test"], Annotated[int, Field(ge=0, le=10_000_000_000)]], AS_TUPLE
]
Scalar = Annotated[float, Field(allow_inf_nan=False)] | int | bool | Annotated[str, Field(max_length=2000)]
Changes = Annotated[dict[Text, Scalar | list[Scalar] | None], Field(max_length=100)]


class StudioCommand(BaseModel):
    """A message of a page that is answered once. id: the number that the page gave it."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    id: Annotated[int, Field(ge=1, le=LARGEST_ID)]
    do: str


class HelloCommand(StudioCommand):
    do: Literal["hello"]
    protocol: int
    viewer: Annotated[str, Field(min_length=8, max_length=100, pattern=r"^[!-~]+$")]
    language: Literal["en", "pt_BR"] = "en"


class PlainCommand(StudioCommand):
    do: Literal["steer", "play", "pause", "stop"]


class StepCommand(StudioCommand):
    do: Literal["step", "epoch"]
    count: StepCount = 1


class SpeedCommand(StudioCommand):
    do: Literal["speed"]
    steps_per_second: Speed | None


class SetCommand(StudioCommand):
    do: Literal["set"]
    name: Annotated[str, Field(max_length=100, pattern=r"^[^\W\d]\w*$")]
    value: Annotated[float, Field(allow_inf_nan=False)] | None


class SegmentCommand(StudioCommand):
    do: Literal["segment", "branch"]
    changes: Changes = {}
    step: Step | None = None


class LookCommand(StudioCommand):
    """What a page shows. step None: the newest. axes None: the studio's choice. unit None: no unit.
    picture: a row by split and place, or ``drawn``; None: the first one. member: the network of an ensemble
    whose weights are drawn; None: the best. segment: at whose end the way in view ends; None: the newest."""

    model_config = ConfigDict(frozen=False)  # a page keeps the last one, and goes on from there

    do: Literal["look"]
    step: Step | None = None
    axes: Pair[Text] | None = None
    unit: Unit | None = None
    picture: PictureOfRow | Literal["drawn"] | None = None
    member: Annotated[int, Field(ge=0, le=1_000_000)] | None = None
    segment: Annotated[int, Field(ge=0, le=1_000_000)] | None = None


class DrawCommand(StudioCommand):
    do: Literal["draw"]
    pixels: Annotated[str, Field(max_length=LONGEST_MESSAGE)]


class BesideCommand(StudioCommand):
    do: Literal["beside"]
    run: Text
    shown: bool


class FanCommand(StudioCommand):
    do: Literal["fan"]
    kind: Literal["lr", "seed", "batch_size", "remedy"]
    count: Literal[0] | Annotated[int, Field(ge=2, le=64)]
    steps: Annotated[int, Field(ge=1, le=100_000)]
    rule: Text | None = None
    step: Step | None = None


class AdoptCommand(StudioCommand):
    do: Literal["adopt"]
    future: Annotated[int, Field(ge=0, le=63)]
    as_: Annotated[Literal["segment", "branch"], Field(alias="as")]


class ExplainCommand(StudioCommand):
    do: Literal["explain"]
    layer: Annotated[int, Field(ge=0, le=10_000)] | None = None
    unit: Annotated[int, Field(ge=0, le=10_000_000)] | None = None
    input: Annotated[int, Field(ge=0, le=10_000_000)] | None = None


class ProponentsCommand(StudioCommand):
    do: Literal["proponents"]
    row: Annotated[int, Field(ge=0, le=10_000_000_000)]


class KeepCommand(StudioCommand):
    do: Literal["keep"]
    name: Text


class OpenCommand(StudioCommand):
    do: Literal["open"]
    member: Annotated[int, Field(ge=0, le=10_000_000)]


class ExtendCommand(StudioCommand):
    do: Literal["extend"]
    members: Annotated[int, Field(ge=1, le=100_000)]


class CommandToScript(StudioCommand):
    """A command to a script: its fields are checked where it is sent, by ``script/commands.py``."""

    model_config = ConfigDict(extra="allow")

    do: Literal["step", "set", "press", "checkpoint", "checkpoints", "rewind", "return", "fan", "adopt"]


class TrainCommand(StudioCommand):
    do: Literal["train"]
    data: Text
    settings: Changes = {}
    paused: bool = False


class SweepCommand(StudioCommand):
    do: Literal["sweep"]
    data: Text
    space: Annotated[list[Text], Field(min_length=1, max_length=50)]
    members: Annotated[int, Field(ge=2, le=100_000)] = 256
    settings: Changes = {}


class StudyCommand(StudioCommand):
    do: Literal["study"]
    data: Text
    batch_sizes: Annotated[list[Annotated[int, Field(ge=1, le=10_000_000)]], Field(max_length=20)] = []
    settings: Changes = {}


class DeleteCommand(StudioCommand):
    do: Literal["delete"]
    runs: Annotated[list[Text], Field(min_length=1, max_length=1000)]


class Acknowledgement(BaseModel):
    """The message that the page has drawn a frame; it is not answered. ack: the frame's number."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    ack: Annotated[int, Field(ge=0, le=LARGEST_ID)]


_Everywhere = HelloCommand | PlainCommand
_Run = (
    _Everywhere
    | (StepCommand | SpeedCommand | SetCommand | SegmentCommand | LookCommand | DrawCommand)
    | (BesideCommand | FanCommand | AdoptCommand | ExplainCommand | ProponentsCommand | KeepCommand)
)
_Sweep = _Everywhere | OpenCommand | ExtendCommand
_Script = _Everywhere | CommandToScript
_Start = _Everywhere | StepCommand
_Home = _Everywhere | TrainCommand | SweepCommand | StudyCommand | DeleteCommand

FolderCommand = Annotated[_Run | _Sweep, Field(discriminator="do")]
"""A command that the worker carries out."""

NO_COMMAND = ("union_tag_invalid", "union_tag_not_found", "model_attributes_type", "dict_type")
"""Pydantic's errors for a message whose verb is missing or unknown."""


class Reader:
    """Reads messages that their ``do`` tells apart. models: their union. refused: verbs of theirs that mean
    nothing here."""

    def __init__(self, models: Any, *refused: str) -> None:
        form: Any = Annotated[models, Field(discriminator="do")]
        self.adapter: TypeAdapter[Any] = TypeAdapter(form)
        every = [verb for each in get_args(models) for verb in get_args(each.model_fields["do"].annotation)]
        self.verbs = [verb for verb in every if verb not in refused]

    def read(self, document: Any) -> Any:
        """The message in parsed JSON.

        Raises:
            TreinoError: an unknown verb, a field that is missing, unknown, of a wrong type or out of range.
        """
        try:
            message = self.adapter.validate_python(document)
        except ValidationError as error:
            raise _explained(error, document, self.verbs) from None
        if message.do not in self.verbs:
            raise unknown_verb(message.do, self.verbs)
        return message


KINDS = {
    "run": Reader(_Run),
    "sweep": Reader(_Sweep, "play", "pause"),
    "study": Reader(_Everywhere, "play", "pause"),
    "script": Reader(_Script),
    "home": Reader(_Home, "play", "pause", "stop"),
    "start": Reader(_Start, "stop"),
}
"""Pages by kind, each with the commands that it may send."""


def read_command(kind: str, text: str) -> StudioCommand | Acknowledgement:
    """Parse a message of a page. kind: ``run``, ``sweep``, ``study``, ``script``, ``home`` or ``start``.

    Raises:
        TreinoError: no JSON object, an unknown verb, a field that is missing, unknown, of a wrong type or out
            of range.
    """
    try:
        document = _JSON.validate_json(text)
    except ValidationError as error:
        (first,) = error.errors(include_url=False)
        raise not_json(str(first.get("ctx", {}).get("error", ""))[:SHOWN]) from None
    if isinstance(document, dict) and "ack" in document and "do" not in document:
        try:
            return Acknowledgement.model_validate(document)
        except ValidationError as error:
            raise _explained(error, document, ()) from None
    command: StudioCommand = KINDS[kind].read(document)
    if isinstance(command, SetCommand):
        _check_value(command)
    settings = getattr(command, "changes", None) or getattr(command, "settings", None)
    if settings and kind != "script":
        check_settings(settings)
    if isinstance(command, SweepCommand):
        for name, _value in files_in_space(read_space(command.space, ANY_SETTING)):
            raise SETTING_OF_THE_COMMAND_LINE(name=setting(name))
    return command


def number_of(text: str) -> int | None:
    """The id of an otherwise invalid message, so that it can be answered; None if it has no valid id."""
    try:
        message = _JSON.validate_json(text)
    except ValueError:
        return None
    number = message.get("id") if isinstance(message, dict) else None
    return number if type(number) is int and 1 <= number <= LARGEST_ID else None


def check_settings(settings: dict[str, Any]) -> Settings:
    """Check settings that a page sends for a training, and return them as ``read_settings`` does.

    Raises:
        TreinoError: a setting that a page can't choose, or an invalid value.
    """
    usual = {k: v for k, v in settings.items() if v is not None and not (k == "lr" and v == "auto")}
    read = read_settings(usual)
    for name in read.files:
        raise SETTING_OF_THE_COMMAND_LINE(name=setting(name))
    return read


def _check_value(command: SetCommand) -> None:
    if command.value is None:
        if command.name != "clip":
            raise TreinoError(
                f"{command.name}_empty",
                _("{name} is empty.").format(name=setting(command.name)),
                _("Give it a value, or leave it out."),
            )
        return
    if command.name in ("beta1", "beta2"):
        if not 0 <= command.value < 1:
            raise TreinoError(
                f"{command.name}_range",
                _("{name} must be from 0 to below 1; it is {value:g}.").format(
                    name=command.name, value=command.value
                ),
                _("The usual values are 0.9 and 0.999."),
            )
        return
    if command.name in Settings.model_fields:  # others are of the user's own optimizer, which checks them
        read_settings({command.name: command.value})


def _explained(error: ValidationError, document: Any, verbs: Sequence[str]) -> TreinoError:
    """The TreinoError for pydantic's first error in a message. verbs: those that are possible."""
    first = error.errors(include_url=False)[0]
    place = [str(part) for part in first["loc"]]
    if place[:2] == ["command", "command"]:  # a page's command within a request to the worker
        place, document = place[2:], document["command"]
    fields = document if isinstance(document, dict) else {}
    if first["type"] in NO_COMMAND:
        return unknown_verb(fields.get("do"), verbs)
    name, *inner = place[1:] if place[0] == fields.get("do") else place
    value = first["input"]
    if name == "value" and isinstance(fields.get("name"), str):
        name = fields["name"][:SHOWN]
    if first["type"] == "missing" and not inner:
        message = _("{name} is missing.").format(name=name)
    elif first["type"] == "extra_forbidden":
        message = _("There is nothing called {name} in this command.").format(name=name[:SHOWN])
    else:
        message = _("{name} can't be {value}.").format(name=name, value=_short(value))
    if wanted := expected(first):
        return TreinoError("command_field", message, _("It must be {wanted}.").format(wanted=wanted))
    return TreinoError(
        "command_field", message, _("See apps/studio/docs/studio-protocol.md for what it may be.")
    )


def not_json(reason: str) -> TreinoError:
    """The error for a message that can't be read as JSON."""
    return NO_JSON(reason=reason, example='{"id": 2, "do": "play"}')


def unknown_verb(verb: object, verbs: Sequence[str]) -> TreinoError:
    """The error for a verb that is none of ``verbs``."""
    if not isinstance(verb, str):
        return NO_VERB(value=_short(verb), hint=nearest("", verbs))
    return UNKNOWN_VERB(verb=_short(verb), hint=nearest(verb[:SHOWN], verbs))


def _short(value: object) -> str:
    """The repr of a wrong value for a message: shortened; ``inf`` and ``nan`` for these numbers."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return shortened(repr(value), SHOWN)
