"""The JSON headers of a folder's tensor files: training states and kept networks.

Numbers may be infinite here, as the best figure is before the first evaluation.
"""

from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from treino.documents.fields import (
    AS_TUPLE,
    Count,
    Document,
    Figure,
    Many,
    Pair,
    Seconds,
    Status,
    Text,
    Word,
    agree,
)
from treino.documents.run_spec import Changeable

WRITTEN_NUMBER = r"^[+-]?(inf|nan|[0-9.]+(e[+-]?[0-9]+)?)$"


def _beginning(step: int) -> int:
    if step < -2:
        raise ValueError("before the beginning")
    return step


Step = Annotated[int, Field(le=2**53), AfterValidator(_beginning)]
"""After so many updates; -1 before there was one."""

Pending = Annotated[tuple[Count, Changeable, Many[Annotated[str, Field(pattern=WRITTEN_NUMBER)]]], AS_TUPLE]


class State(Document):
    model_config = ConfigDict(allow_inf_nan=True)


class Identity(State):
    """The identity of a training, equal for all of its states. shapes: of its network's tensors."""

    shapes: Many[Many[Count]]


class EngineState(State):
    """The JSON argument of ``TrainingLoop.load``. pending: changes of settings at later steps."""

    identity: Identity
    step: Count
    evaluated: Step
    epoch_count: Count
    pending: Many[Pending]


class RunState(State):
    """The state of a run. clock: seconds of training, of evaluation, of the epoch so far, of waiting.
    commands: the commands obeyed."""

    engine: EngineState
    segment: Count
    clock: Annotated[Many[Seconds], Field(min_length=4, max_length=4)]
    commands: Many[Count]


class KeyframeState(State):
    """A keyframe. best: the figure and the step of the best weights so far. For several members these are
    tensors, and the number of steps done of the epoch is here instead."""

    step: Count
    evaluated: Step
    best: Annotated[tuple[float, Step], AS_TUPLE] | None = None
    hp: dict[Changeable, float] | None = None
    epoch_count: Count | None = None

    @model_validator(mode="after")
    def _agrees(self) -> "KeyframeState":
        one = self.epoch_count is None
        hp = set(get_args(Changeable)) if one else None
        agreeing = {"best": (self.best is not None) == one, "hp": hp == (self.hp and self.hp.keys())}
        return agree(self, agreeing)


class PartState(State):
    """Members that trained on apart from their population. rows: their indices in it."""

    rows: Many[Count]
    step: Count
    evaluated_step: Count
    epoch_steps: Count
    looks: Count


class BracketState(State):
    """A bracket. members: of each population, in the order of its tensors. parts: of each the members that
    trained on apart."""

    heat: Count
    rung: Count
    model_steps: Count
    looks: Many[Count]
    members: Many[Many[Count]]
    engine: Many[EngineState]
    parts: Many[Many[PartState]]


class SweepState(State):
    """A sweep.

    done: completed brackets. state: of the present bracket. ended: why the sweep ended, if it did.
    planned_steps: model-steps of the brackets begun so far, if no member diverges. extensions: how often
    members were added before. processors: the processors of a cluster, with their members.
    """

    done: Count
    spent: Seconds
    model_steps: Count
    planned_steps: Count
    extensions: Count
    state: BracketState | None
    processors: dict[str, Many[Count]]
    ended: Literal["stopped", "reached", "interrupted"] | None


class RecordState(State):
    """A network's figures by epoch."""

    model_config = ConfigDict(extra="forbid")

    status: Status
    steps: Count
    loss: Many[Figure]
    loss_std: Many[Figure]
    seconds: Many[Seconds]
    processor: Many[Seconds]
    cold: Many[Count]
    metrics: dict[Word, Many[Figure]]
    notes: Many[Text]
    processors: Many[Text]

    @model_validator(mode="after")
    def _agrees(self) -> "RecordState":
        lists: dict[str, Any] = {
            "loss_std": self.loss_std,
            "seconds": self.seconds,
            "processor": self.processor,
        }
        lists |= {f"metrics.{name}": values for name, values in self.metrics.items()}
        return agree(self, {key: len(by_epoch) == len(self.loss) for key, by_epoch in lists.items()})


class PopulationState(State):
    engine: EngineState
    looks: Count
    parts: Many[PartState]


class TrackState(State):
    """population: its training, where it has begun and is not over."""

    record: RecordState
    so_far: Pair[Seconds]
    population: PopulationState | None


class StudyState(State):
    """A study. tracks: the state of each network, row by row, seed by seed."""

    tracks: Many[TrackState]


class KeptModels(State):
    """The networks of a sweep whose weights are kept, the best first."""

    order: Many[Count]
    figures: Many[float]
    losses: Many[float]

    @model_validator(mode="after")
    def _agrees(self) -> "KeptModels":
        many = len(set(self.order))
        lists = {"order": self.order, "figures": self.figures, "losses": self.losses}
        return agree(self, {key: len(values) == many for key, values in lists.items()})


class CurveMembers(State):
    members: Many[Count]


class Answers(State):
    """answers: of the user's network on made-up rows."""

    answers: Many[Many[float]] | None = None


class NoFacts(State):
    """The header of a file with tensors alone."""
