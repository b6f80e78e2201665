"""The state of a training: everything that changes while it runs, as plain data."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from treino.engine.epoch_loss import EpochLoss
from treino.engine.population import Population
from treino.words import N_

SHOWN = 4  # members, in the text of a state
STATUS = (N_("running"), N_("finished"), N_("stopped"), N_("diverged"))
RUNNING, FINISHED, STOPPED, DIVERGED = range(4)


@dataclass(frozen=True)
class HyperparameterChange:
    """A change of a hyper-parameter at a step. value: one number for each member."""

    step: int
    name: str
    value: tuple[float, ...]


@dataclass(eq=False)
class BestWeights:
    """Each member's best validation figure so far, with a copy of its weights.

    params ``[P, n]``, buffers ``[P, m]``: ``[0, ...]`` if no weights are kept. metric_P: infinitely bad
    before the first figure. step_P: the step of the figure; -1: none yet.
    """

    params: Tensor
    buffers: Tensor
    metric_P: Tensor
    step_P: Tensor

    @property
    def chosen_P(self) -> Tensor:
        """``[P]`` bool: whether a member's best weights are the ones to keep at the end."""
        return (self.step_P >= 0) & (len(self.params) > 0)

    def tensors(self) -> dict[str, Tensor]:
        return {"params": self.params, "buffers": self.buffers, "metric": self.metric_P, "step": self.step_P}

    def rows(self, index: list[int]) -> "BestWeights":
        """A copy of these members' best weights; a member may be named several times."""
        places = index if len(self.params) else []
        return BestWeights(
            self.params[places], self.buffers[places], self.metric_P[index], self.step_P[index]
        )


@dataclass(eq=False)
class TrainingState:
    """The state of a training after ``step`` updates. With setup and rows it determines all further updates.

    status_P: indices of STATUS. stop_step_P: the updates of an ended member; of a diverged one, those up to
    its last finite weights. evaluated_step: the step of the last evaluation. pending: future changes of
    hyper-parameters. running: int64, the indices of the members in training, derived from status_P. Two
    states are equal if all bits are.
    """

    population: Population
    best: BestWeights
    epoch_loss: EpochLoss
    status_P: Tensor
    stop_step_P: Tensor
    step: int = 0
    evaluated_step: int = 0
    pending: list[HyperparameterChange] = field(default_factory=list)
    running: Tensor = field(init=False)

    def __post_init__(self) -> None:
        self.find_running()

    @classmethod
    def initial(cls, population: Population, best: BestWeights) -> "TrainingState":
        """The state before the first step."""
        P = len(population)
        status_P, stop_step_P = torch.zeros(P, dtype=torch.int64), torch.zeros(P, dtype=torch.int64)
        return cls(population, best, EpochLoss(P), status_P, stop_step_P)

    def rows(self, index: list[int]) -> "TrainingState":
        """A copy of these members that shares no memory; a member may be named several times."""
        return TrainingState(
            self.population.rows(index),
            self.best.rows(index),
            self.epoch_loss.rows(index),
            self.status_P[index],
            self.stop_step_P[index],
            self.step,
            self.evaluated_step,
            [replace(change, value=tuple(change.value[i] for i in index)) for change in self.pending],
        )

    def put(self, index: list[int], tensors: Mapping[str, Tensor]) -> None:
        """Overwrite these members by those of another state, in order. tensors: as in ``tensors``."""
        at = torch.tensor(index)
        for name, here in self.tensors().items():
            if here.numel():
                dimension = 1 if name == "epoch.sums" else 0
                here.index_copy_(dimension, at.to(here.device), tensors[name].to(here.device))
        self.find_running()

    @property
    def last_step_P(self) -> Tensor:
        """``[P]`` int64: each member's updates; of a diverged one, those that are kept."""
        return torch.where(self.status_P == RUNNING, self.step, self.stop_step_P)

    @property
    def kept_step_P(self) -> Tensor:
        """``[P]`` int64: the step whose weights are kept, the best or the last ones."""
        return torch.where(self.best.chosen_P, self.best.step_P, self.last_step_P)

    def end(self, members: Tensor, status: int, step: int) -> None:
        """End these members after ``step`` updates."""
        self.status_P[members] = status
        self.stop_step_P[members] = step
        self.find_running()

    def find_running(self) -> None:
        """Update ``running`` from status_P."""
        self.running = (self.status_P == RUNNING).nonzero().flatten()

    def tensors(self) -> dict[str, Tensor]:
        """All tensors by their names in a saved state, without copying."""
        return (
            self.population.tensors()
            | {f"best.{name}": t for name, t in self.best.tensors().items()}
            | {"epoch.sums": self.epoch_loss.sums, "epoch.last": self.epoch_loss.last}
            | {"status": self.status_P, "stop_step": self.stop_step_P}
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, TrainingState):
            return NotImplemented
        ours, theirs = self.tensors(), other.tensors()
        return (
            self._numbers() == other._numbers()
            and list(ours) == list(theirs)
            and all(_same_bits(t, theirs[name]) for name, t in ours.items())
        )

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        status = Counter(STATUS[s] for s in self.status_P.tolist())
        params = self.population.params
        parts = [
            f"step={self.step}",
            "members: " + ", ".join(f"{n} {name}" for name, n in status.items()),
            f"params: {list(params.shape)} {str(params.dtype).removeprefix('torch.')} {params.device}",
            f"evaluated_step={self.evaluated_step}",
            f"best: {_shortened(self.best.metric_P)} at steps {_shortened(self.best.step_P)}",
            f"mean loss of the last epoch: {_shortened(self.epoch_loss.last)}",
            *([f"pending={self.pending}"] if self.pending else []),
        ]
        return f"TrainingState({'; '.join(parts)})"

    def _numbers(self) -> tuple[object, ...]:
        return self.step, self.evaluated_step, self.epoch_loss.count, self.pending


def _same_bits(a: Tensor, b: Tensor) -> bool:
    """Whether two tensors agree in shape, type and every bit, also of NaN."""
    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    return a.detach().cpu().numpy().tobytes() == b.detach().cpu().numpy().tobytes()


def _shortened(value_P: Tensor) -> str:
    texts = [f"{v:.4g}" for v in value_P[:SHOWN].tolist()]
    return "[" + ", ".join([*texts, *(["…"] if len(value_P) > SHOWN else [])]) + "]"
