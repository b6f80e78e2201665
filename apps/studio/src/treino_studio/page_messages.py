"""What the page of a run gets, as types: docs/studio-protocol.md describes it.

The pages' scripts are checked against the same types, as ``python -m tools.page_types`` writes them.
"""

from typing import Any, Literal, NotRequired

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict  # that of Python 3.11 can't be read by pydantic

from treino.plots import ListBlock, Paragraph

Figures = dict[str, float | None]
FixedBy = Literal["own", "cnn", "batch_norm"]
NoticeKind = Literal["info", "warning", "busy", "replay"]


@with_config(ConfigDict(extra="forbid"))
class MessagePart(TypedDict):
    """A part of a message; it has no other fields than its own."""


class Notice(MessagePart):
    """busy: how far a file is, for who has asked for it. replay: how far a run is that is trained again."""

    kind: NoticeKind
    text: str


class PicturesOfRows(MessagePart):
    channels: int
    height: int
    width: int
    paper: int
    fit: str | None
    can_draw: bool


class DataOfRun(MessagePart):
    name: str
    kind: str
    task: str
    features: list[str]
    axes: list[str]
    classes: list[str]
    target: str
    rows: dict[str, int]
    decisions: list[str]
    pictures: NotRequired[PicturesOfRows]


class Choices(MessagePart):
    """The values that can replace the settings in force at a step."""

    optimizer: list[str]
    activation: list[str]
    schedule: list[str]
    batch_size: list[int | str]
    loss: list[str]
    live: list[str]


class NetworkOfRun(MessagePart):
    parameters: int
    hidden: list[int] | None
    fixed: FixedBy | None


class SegmentOfRun(MessagePart):
    number: int
    origin: list[int] | None
    text: str


class Mark(MessagePart):
    segment: int
    step: int
    text: str


class Remedy(MessagePart):
    text: str
    step: int | None


class FindingOfRun(MessagePart):
    rule: str
    severity: str
    certain: bool
    message: str
    why: str
    fix: str
    step: int | None
    remedy: NotRequired[Remedy | None]


class TableOfTexts(MessagePart):
    """A block, as sentences and lists are. keys: the columns' names; values: what a reader sorts them by."""

    caption: str
    head: list[str]
    keys: list[str]
    rows: list[list[str]]
    values: list[list[Any]]


PlainBlock = Paragraph | ListBlock | TableOfTexts


class StretchOfRun(MessagePart):
    segment: int
    first: int
    last: int
    text: str
    figures: Figures
    measured: int | None
    left: bool


class LengthOfRun(MessagePart):
    epochs: int
    goes_on_to: int
    over: bool


class View(MessagePart):
    step: int | None
    axes: list[str] | tuple[str, str] | None
    unit: list[int] | tuple[int, int] | None
    segment: int | None
    picture: NotRequired[list[str | int] | tuple[str, int] | Literal["drawn"] | None]
    member: NotRequired[int | None]


class EnsembleOfRun(MessagePart):
    size: int
    answering: list[int]
    drawn: int


class RunBeside(MessagePart):
    run: str
    letter: str
    step: int | None
    status: str
    text: str


class RunDocuments(MessagePart):
    """What depends on the run's documents alone."""

    kind: Literal["run"]
    name: str
    path: str
    status: str
    planned_steps: int
    steps_per_epoch: int
    data: DataOfRun
    settings: dict[str, Any]
    choices: Choices
    network: NetworkOfRun
    segments: list[SegmentOfRun]
    marks: list[Mark]
    findings: list[FindingOfRun]
    metrics: dict[str, Figures | None] | None
    result: list[PlainBlock] | None
    command: str
    unseen: list[str]
    length: NotRequired[LengthOfRun]


class RunState(RunDocuments):
    """The message ``state``. The last three depend on the viewer."""

    playing: bool
    steps_per_second: float | None
    segment: int
    last_step: int
    history: list[StretchOfRun]
    view: View
    ensemble: EnsembleOfRun | None
    letter: str
    beside: list[RunBeside]
    steers: NotRequired[bool]
    can_steer: NotRequired[bool]
    viewers: NotRequired[int]


class EpochOfCurves(MessagePart):
    epoch: int
    step: int
    train: Figures
    validation: Figures
    members: NotRequired[dict[str, list[float | None]]]


class Vital(MessagePart):
    step: int
    gradient_norm: float | None
    update_ratio: float | None
    lr: float
    train: Figures


CurvesOfRun = TypedDict(  # "from" is no name of Python's
    "CurvesOfRun",
    {
        "run": str,
        "from": int,
        "step": list[int],
        "loss": list[float | None],
        "low": NotRequired[list[float | None]],
        "high": NotRequired[list[float | None]],
        "segment": NotRequired[int],
        "left": NotRequired[int],
        "epochs": NotRequired[list[EpochOfCurves]],
        "vitals": NotRequired[list[Vital]],
    },
)


class RowsOfPoints(MessagePart):
    """Rows of a split that are drawn; of ``total``."""

    split: str
    x: list[float | None]
    y: list[float | None]
    true: list[float]
    index: list[int]
    total: int


class Examples(MessagePart):
    groups: list[dict[str, Any]]
    more: int
    shape: list[int]
    pixels: str


class PointsOfRun(MessagePart):
    """Rows and their places; of pictures examples instead, and no places."""

    axes: list[str]
    view: str
    held: list[list[Any]]
    rows: list[RowsOfPoints]
    variance: NotRequired[list[float] | None]
    low: NotRequired[list[float]]
    high: NotRequired[list[float]]
    examples: NotRequired[Examples]


class Future(MessagePart):
    future: int
    text: str
    changes: dict[str, Any]
    status: str
    worth: float | None
    step: list[int]
    loss: list[float | None]


class Comparison(MessagePart):
    metric: str
    a: float
    b: float
    rows: int
    interval: list[float] | None


class FanOfRun(MessagePart):
    number: int
    kind: str
    step: int
    steps: int
    metric: str
    split: str
    done: int
    best: int | None
    futures: list[Future]
    comparison: NotRequired[Comparison | None]


class RunMessages(TypedDict, total=False):
    """The messages of a run's page by their kinds; each comes alone."""

    state: RunState
    curves: CurvesOfRun
    fan: FanOfRun | None
    notice: Notice
    points: PointsOfRun
