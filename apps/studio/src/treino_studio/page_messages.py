"""What the page of a run gets, as types: docs/studio-protocol.md describes it.

The pages' scripts are checked against the same types, as ``python -m tools.page_types`` writes them.
"""

from typing import Any, Literal, NotRequired

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict  # that of Python 3.11 can't be read by pydantic

Figures = dict[str, float | None]
FixedBy = Literal["own", "cnn", "batch_norm"]
NoticeKind = Literal["info", "warning", "busy", "replay"]
CLOSED = ConfigDict(extra="forbid")


@with_config(CLOSED)
class Notice(TypedDict):
    """busy: how far a file is, for who has asked for it. replay: how far a run is that is trained again."""

    kind: NoticeKind
    text: str


@with_config(CLOSED)
class PicturesOfRows(TypedDict):
    channels: int
    height: int
    width: int
    paper: int
    fit: str | None
    can_draw: bool


@with_config(CLOSED)
class DataOfRun(TypedDict):
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


@with_config(CLOSED)
class Choices(TypedDict):
    """The values that can replace the settings in force at a step."""

    optimizer: list[str]
    activation: list[str]
    schedule: list[str]
    batch_size: list[int | str]
    loss: list[str]
    live: list[str]


@with_config(CLOSED)
class NetworkOfRun(TypedDict):
    parameters: int
    hidden: list[int] | None
    fixed: FixedBy | None


@with_config(CLOSED)
class SegmentOfRun(TypedDict):
    number: int
    origin: list[int] | None
    text: str


@with_config(CLOSED)
class Mark(TypedDict):
    segment: int
    step: int
    text: str


@with_config(CLOSED)
class Remedy(TypedDict):
    text: str
    step: int | None


@with_config(CLOSED)
class FindingOfRun(TypedDict):
    rule: str
    severity: str
    certain: bool
    message: str
    why: str
    fix: str
    step: int | None
    remedy: NotRequired[Remedy | None]


@with_config(CLOSED)
class Kept(TypedDict):
    step: int | None
    epoch: int | None
    last: int


@with_config(CLOSED)
class ResultOfRun(TypedDict):
    sentences: list[str]
    head: list[str]
    rows: list[list[str]]
    kept: Kept | None
    notes: list[str]


@with_config(CLOSED)
class StretchOfRun(TypedDict):
    segment: int
    first: int
    last: int
    text: str
    figures: Figures
    measured: int | None
    left: bool


@with_config(CLOSED)
class LengthOfRun(TypedDict):
    epochs: int
    goes_on_to: int
    over: bool


@with_config(CLOSED)
class View(TypedDict):
    step: int | None
    axes: list[str] | tuple[str, str] | None
    unit: list[int] | tuple[int, int] | None
    segment: int | None
    picture: NotRequired[list[str | int] | tuple[str, int] | Literal["drawn"] | None]
    member: NotRequired[int | None]


@with_config(CLOSED)
class EnsembleOfRun(TypedDict):
    size: int
    answering: list[int]
    drawn: int


@with_config(CLOSED)
class RunBeside(TypedDict):
    run: str
    letter: str
    step: int | None
    status: str
    text: str


@with_config(CLOSED)
class RunDocuments(TypedDict):
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
    result: ResultOfRun | None
    command: str
    unseen: list[str]
    length: NotRequired[LengthOfRun]


@with_config(CLOSED)
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


@with_config(CLOSED)
class EpochOfCurves(TypedDict):
    epoch: int
    step: int
    train: Figures
    validation: Figures
    members: NotRequired[dict[str, list[float | None]]]


@with_config(CLOSED)
class Vital(TypedDict):
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


@with_config(CLOSED)
class RowsOfPoints(TypedDict):
    """Rows of a split that are drawn; of ``total``."""

    split: str
    x: list[float | None]
    y: list[float | None]
    true: list[float]
    index: list[int]
    total: int


@with_config(CLOSED)
class Examples(TypedDict):
    groups: list[dict[str, Any]]
    more: int
    shape: list[int]
    pixels: str


@with_config(CLOSED)
class PointsOfRun(TypedDict):
    """Rows and their places; of pictures examples instead, and no places."""

    axes: list[str]
    view: str
    held: list[list[Any]]
    rows: list[RowsOfPoints]
    variance: NotRequired[list[float] | None]
    low: NotRequired[list[float]]
    high: NotRequired[list[float]]
    examples: NotRequired[Examples]


@with_config(CLOSED)
class Future(TypedDict):
    future: int
    text: str
    changes: dict[str, Any]
    status: str
    worth: float | None
    step: list[int]
    loss: list[float | None]


@with_config(CLOSED)
class Comparison(TypedDict):
    metric: str
    a: float
    b: float
    rows: int
    interval: list[float] | None


@with_config(CLOSED)
class FanOfRun(TypedDict):
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
