"""The JSON headers of a folder's tensor files: training states and kept networks.

Numbers may be infinite here: the best metric is infinite before the first evaluation.
"""

from collections.abc import Sized
from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field

from treino.base.document_fields import (
    AS_TUPLE,
    Count,
    Document,
    Many,
    Seconds,
    Text,
)
from treino.folders.documents.sweep import NetworkRecord

WRITTEN_NUMBER = r"^[+-]?(inf|nan|[0-9.]+(e[+-]?[0-9]+)?)$"


def _beginning(step: int) -> int:
    if step < -2:
        raise ValueError("before the beginning")
    return step


Step = Annotated[int, Field(le=2**53), AfterValidator(_beginning)]
"""A number of updates; negative if there is none yet."""

HYPERPARAMETERS = {"lr", "weight_decay", "momentum", "beta1", "beta2", "eps", "clip", "dropout", "ema"}
"""Those of every training; the user's own optimizer may have others."""
Pending = Annotated[tuple[Count, Text, Many[Annotated[str, Field(pattern=WRITTEN_NUMBER)]]], AS_TUPLE]


class State(Document):
    model_config = ConfigDict(allow_inf_nan=True)


class Identity(State):
    """The part of a state that never changes during a training. shapes: the shapes of the network's
    tensors."""

    shapes: Many[Many[Count]]


class EngineState(State):
    """The JSON argument of ``TrainingLoop.load``. pending: hyper-parameter changes at later steps."""

    identity: Identity
    step: Count
    evaluated: Step
    epoch_count: Count
    changed: Count = 0
    pending: Many[Pending]


class RunState(State):
    """The state of a run. clock: the seconds of training, of evaluation, of the epoch so far, of waiting."""

    engine: EngineState
    segment: Count
    clock: Annotated[Many[Seconds], Field(min_length=4, max_length=4)]


class KeyframeState(State):
    """A keyframe. best: the metric and the step of the best weights so far; hp: the hyper-parameters. With
    several members both are tensors in the file, and the header has epoch_count instead."""

    step: Count
    evaluated: Step
    best: Annotated[tuple[float, Step], AS_TUPLE] | None = None
    hp: dict[Text, float] | None = None
    epoch_count: Count | None = None

    def agreeing(self) -> dict[str, bool]:
        one = self.epoch_count is None
        hp = self.hp is not None and self.hp.keys() >= HYPERPARAMETERS
        return {"best": (self.best is not None) == one, "hp": hp == one}


Clock = Annotated[Many[Count], Field(min_length=4, max_length=4)]
"""The step, the step of the last evaluation, the steps of the epoch so far, and the evaluations so far."""


class PopulationState(State):
    """A population. looks: evaluations so far. parts: the members that went on training separately, by their
    places in the population, with their clock. record: for a study's network."""

    members: Many[Count]
    engine: EngineState
    looks: Count
    parts: Many[Annotated[tuple[Many[Count], Clock], AS_TUPLE]]
    record: NetworkRecord | None = None

    def agreeing(self) -> dict[str, bool]:
        places = [place for part, _clock in self.parts for place in part]
        return {"parts": len(places) == len(set(places)) and max(places, default=0) < len(self.members)}


class BracketState(State):
    """A bracket. populations: in the order of its tensors."""

    bracket: Count
    rung: Count
    model_steps: Count
    populations: Many[PopulationState]


class StudyState(State):
    """The state of a study. processors: a cluster's processors and the members that they trained."""

    state: BracketState
    processors: dict[str, Many[Count]]

    def agreeing(self) -> dict[str, bool]:
        return {"state.populations": all(each.record is not None for each in self.state.populations)}


class SweepState(State):
    """The state of a sweep.

    done: completed brackets. spent: seconds of training. state: the state of the present bracket. ended: why
    the sweep ended, if it did. planned_steps: model-steps of the brackets begun so far if no member diverges.
    extensions: how often members have been added. processors: a cluster's processors and their members.
    """

    done: Count
    spent: Seconds
    model_steps: Count
    planned_steps: Count
    extensions: Count
    state: BracketState | None
    processors: dict[str, Many[Count]]
    ended: Literal["stopped", "reached", "interrupted"] | None


class KeptModels(State):
    """The networks of a sweep whose weights are kept, the best first. answering: for each ensemble,
    the numbers of the networks that it keeps."""

    order: Many[Count]
    figures: Many[float]
    losses: Many[float]
    answering: Many[Many[Count]]

    def agreeing(self) -> dict[str, bool]:
        many = len(set(self.order))
        lists: dict[str, Sized] = {name: getattr(self, name) for name in type(self).model_fields}
        return {key: len(values) == many for key, values in lists.items()}


class CurveMembers(State):
    members: Many[Count]


class Answers(State):
    """The header of a run's weights. answers: the outputs of the user's network on made-up rows."""

    answers: Many[Many[float]] | None = None


class NoFacts(State):
    """The header of a file that contains only tensors."""
