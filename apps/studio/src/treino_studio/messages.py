"""The messages between the studio's server and its two processes, the worker and the trainer.

``process.py`` carries them; whoever receives one reads it once, as one of these models. Bytes may follow it,
its body. A request with an ``id`` is answered once, by a ``Reply`` with this number. Either process ends when
its stdin is closed.
"""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, TypeAdapter

from treino.base.document_fields import AS_TUPLE
from treino.base.errors import TreinoError
from treino_studio.page_messages import Notice, NoticeKind
from treino_studio.protocol import FolderCommand, Reader

Folder = Annotated[Path, Field(strict=False), PlainSerializer(str)]
PlayControl = Annotated[
    tuple[Literal["play", "pause", "step", "epoch", "speed"], int | float | None], AS_TUPLE
]
"""A playback command and its value."""

PLAY: PlayControl = ("play", None)
PAUSE: PlayControl = ("pause", None)


class Message(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")


class ErrorMessage(Message):
    """An error, with the exit status that it means for a command line."""

    rule: str
    message: str
    hint: str
    status: int = 2

    @classmethod
    def of(cls, error: TreinoError) -> "ErrorMessage":
        return cls(**error.document, status=error.status)

    @property
    def error(self) -> TreinoError:
        return TreinoError(self.rule, self.message, self.hint, status=self.status)


class ProcessRequest(Message):
    """A message of the server. language: of the viewer that asks; None: the process's own."""

    do: str
    id: int | None = None
    language: str | None = None


# ---- to the worker


class PageRequest(ProcessRequest):
    """A request that concerns the page ``key``, such as ``run/wine-1``."""

    key: str


class OpenRequest(PageRequest):
    """Open the page of the run, sweep or study in this folder."""

    do: Literal["open"] = "open"
    run: Folder


class WatchRequest(PageRequest):
    """The page's number of viewers, and their languages."""

    do: Literal["watch"] = "watch"
    viewers: int
    languages: list[str]


class CloseRequest(PageRequest):
    """Close the page, which had no viewers for a while."""

    do: Literal["close"] = "close"


class FailedRequest(PageRequest):
    """Show that the trainer's training in the page's folder has failed."""

    do: Literal["failed"] = "failed"
    error: ErrorMessage


class CommandRequest(PageRequest):
    """Carry out a valid command of the page."""

    do: Literal["command"] = "command"
    command: FolderCommand


class TakeRequest(PageRequest):
    """Make a file from the folder ``run``; it is the reply's body. form: as in ``take.py``."""

    do: Literal["take"] = "take"
    run: Folder
    form: str


AnyWorkerRequest = OpenRequest | WatchRequest | CloseRequest | FailedRequest | CommandRequest | TakeRequest


# ---- to the trainer


class TrainerRequest(ProcessRequest):
    """play_control: a training's first playback command; None: it keeps playing or pausing. speed: in steps
    per second; "watched": slow enough to see it learn; None: as fast as it goes. state: the body, in the
    process that makes the request: a state from which the trainer replays up to the step."""

    play_control: PlayControl | None = PLAY
    speed: float | Literal["watched"] | None = None
    state: Annotated[bytes, Field(exclude=True)] = b""


class NewRequest(TrainerRequest):
    """Begin a training in a new folder in ``parent``."""

    data: str
    settings: dict[str, Any]
    parent: Folder


class RunRequest(NewRequest):
    """Train a run. command_line: whether its settings may name files of the user."""

    do: Literal["train"] = "train"
    command_line: bool = False


class SweepRequest(NewRequest):
    do: Literal["sweep"] = "sweep"
    space: list[str]
    members: int


class StudyRequest(NewRequest):
    do: Literal["study"] = "study"
    batch_sizes: list[int]


class LikeRequest(TrainerRequest):
    """Train a network of a sweep again, such as ``runs/sweep-1:17``, as a run of this name."""

    do: Literal["like"] = "like"
    run: str
    name: str


class ExtendRequest(TrainerRequest):
    """Add networks to a sweep that has ended."""

    do: Literal["extend"] = "extend"
    run: Folder
    members: int


class ResumeRequest(TrainerRequest):
    """Go on with a run that has stopped."""

    do: Literal["resume"] = "resume"
    run: Folder


class ContinueRequest(TrainerRequest):
    """Go on from a step, as the run's next segment or as a new run. step: None: the newest. segment: at whose
    end the way with this step ends; None: the newest way. Without ``state`` it replays from the folder."""

    do: Literal["rewind", "branch"]
    run: Folder
    step: int | None
    segment: int | None = None
    changes: dict[str, Any] = {}


class StopRequest(TrainerRequest):
    """Save and end a training that an earlier request has resumed."""

    do: Literal["stop"] = "stop"
    run: Folder


class PlaybackRequest(TrainerRequest):
    """Play, pause, step or pace the training that an earlier request begins. run: whose it is; None: of the
    first one, whose page doesn't know its folder yet."""

    do: Literal["play_control"] = "play_control"
    run: Folder | None = None
    command: PlayControl


class QuitRequest(TrainerRequest):
    """Save everything and end."""

    do: Literal["quit"] = "quit"


AnyTrainerRequest = (RunRequest | SweepRequest | StudyRequest | LikeRequest | ExtendRequest) | (
    ResumeRequest | ContinueRequest | StopRequest | PlaybackRequest | QuitRequest
)


# ---- to the server


class Reply(Message):
    """The answer to a request, or its error. run: the name of the run that begins or was made. file: the name
    of the file in the body. content: what else the page is answered."""

    reply: int
    error: ErrorMessage | None = None
    run: str | None = None
    file: str | None = None
    content: dict[str, Any] = {}


class PageMessage(Message):
    """What is new on a page: ``send`` are messages of the protocol by kind, for viewers of the ``language``
    (None: of all); the body is the frame of this number, or boundaries of the fan of this number. gone: the
    page is closed, as its folder is deleted, or is being deleted."""

    key: str
    language: str | None = None
    send: dict[str, Any] = {}
    frame: int | None = None
    fan: int | None = None
    gone: bool = False


class PassedRequest(Message):
    """A request, with its body, to pass on to the trainer, which answers it."""

    trainer: Annotated[AnyTrainerRequest, Field(discriminator="do")]


class TrainingFailed(Message):
    """The training in this folder has failed."""

    failed: Folder
    error: ErrorMessage


def notice(text: str, kind: NoticeKind = "warning") -> dict[str, Any]:
    """A sentence that is read out once on a page, as a message to it."""
    return {"notice": Notice(kind=kind, text=text)}


# ---- reading

WORKER, TRAINER = Reader(AnyWorkerRequest), Reader(AnyTrainerRequest)
SERVER: TypeAdapter[Any] = TypeAdapter(PageMessage | Reply | PassedRequest | TrainingFailed)
