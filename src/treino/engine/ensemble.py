"""The ensemble of a population's best half as one module; and metrics of members on validation rows."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from treino.data.links import Link
from treino.data.mapped_rows import part_rows
from treino.data.preparation.preparation import Preparation, Scale
from treino.engine.batch_sources import KernelRows, as_kernel_input
from treino.engine.devices import torch_context
from treino.engine.kernels import Kernel
from treino.engine.losses import Loss
from treino.engine.members import member_module
from treino.engine.metrics import METRICS, batch_deviation, measure
from treino.engine.model import Limits, Model
from treino.engine.population import Population
from treino.engine.train_config import TrainConfig
from treino.engine.training_state import DIVERGED, RUNNING, TrainingState
from treino.settings.spec import Settings

# ---- an ensemble


class Ensemble(nn.Module):
    """A module that averages its members: their probabilities (returned as logits), or their predicted
    numbers.

    limits: the range to which predicted numbers are clipped (buffer ``limits [2]``, ``[2, K]`` with several
    targets); None: no clipping. forward maps x ``[B, ...]`` to outputs ``[B, C]`` for ``loss`` (its name is
    enough for one target), softmax or sigmoid, as a single network does. See Lakshminarayanan, Pritzel &
    Blundell, NeurIPS 2017.
    """

    limits: Tensor | None

    def __init__(self, members: Sequence[nn.Module], loss: Loss | str, limits: Limits | None = None) -> None:
        super().__init__()
        self.members, self.loss = nn.ModuleList(members), loss
        self.register_buffer("limits", None if limits is None else torch.tensor(limits))

    @property
    def link(self) -> Link:
        """What the members' outputs say of numbers."""
        return (Loss(self.loss) if isinstance(self.loss, str) else self.loss).link

    def forward(self, x: Tensor) -> Tensor:
        output_RBC = torch.stack([member(x) for member in self.members])
        return mean_output(output_RBC, self.loss, self.limits)


def mean_output(output_RBC: Tensor, loss: Loss | str, limits: Tensor | None = None) -> Tensor:
    """``[B, C]``: logits of the mean of the members' probabilities, for each target; for regression, that
    of the mean of their numbers, clipped to the limits ``[2]`` or ``[2, K]``."""
    loss = Loss(loss) if isinstance(loss, str) else loss
    if loss.classes:
        parts = output_RBC.split(loss.classes, -1)
        return torch.cat([mean_output(part, loss.single) for part in parts], -1)
    if loss.task == "regression":
        mean_BC: Tensor = loss.link.form.numbers(output_RBC).mean(0)
        mean_BC = mean_BC if limits is None else mean_BC.clamp(*limits.to(mean_BC).unbind())
        output_BC: Tensor = loss.link.form.outputs(mean_BC)
        return output_BC
    if loss.of_classes:
        return torch.logsumexp(F.log_softmax(output_RBC, -1), 0) - math.log(len(output_RBC))
    yes_BC, no_BC = (torch.logsumexp(F.logsigmoid(sign * output_RBC), 0) for sign in (1, -1))
    return yes_BC - no_BC


def answering_members(
    model: Model, state: TrainingState, s: Settings, members: Sequence[int] | None = None
) -> list[int]:
    """The members that form the ensemble, the best first: the half with the best validation values so far,
    ties in order; all if none was evaluated. See ``best_half`` for members that see answers of trees, and
    others that don't.

    Members that take no step are left out, and diverged ones, unless all diverged. members: those of one
    ensemble; None: all.
    """
    every = range(len(state.population)) if members is None else members
    status_P, figure_P = state.status_P.tolist(), state.best.metric_P.tolist()
    better = METRICS[s.metric].better
    ended_P = state.stop_step_P.tolist()
    taught = [m for m in every if status_P[m] == RUNNING or ended_P[m]] or list(every)
    able = [member for member in taught if status_P[member] != DIVERGED] or taught
    measured = [member for member in able if int(state.best.step_P[member]) >= 0]
    if not measured:
        return able
    squared = s.metric == "r2" or (s.metric == "loss" and model.loss.name == "mse")
    root = 0.5 if squared else 1.0  # errors in the target's unit
    errors = [(figure_P[member] if better < 0 else 1 - figure_P[member]) ** root for member in measured]
    kinds = [bool(model.treeless) and model.treeless[member] for member in measured]
    return [measured[i] for i in best_half(errors, kinds, len(every))]


def best_half(errors: Sequence[float], kinds: Sequence[bool], members: int, far: float = 0.2) -> list[int]:
    """The places of the best half of so many members, the best first; ties in order.

    kinds: of which of two kinds each is. Of either kind comes half of the half, for their mean errs less than
    that of like members; but the better kind alone, if the best of the other errs more by the share ``far``.
    """
    half = -(-members // 2)
    places = sorted(range(len(errors)), key=errors.__getitem__)
    better = [place for place in places if kinds[place] == kinds[places[0]]]
    other = [place for place in places if kinds[place] != kinds[places[0]]]
    if not other or not errors[other[0]] <= (1 + far) * errors[places[0]]:
        return better[:half] if other else places[:half]
    least = half // 2
    chosen = {*other[:least], *better[: half - len(other[:least])]}
    return [place for place in places if place in chosen]


def kept_population(state: TrainingState, members: Sequence[int]) -> Population:
    """Copies of these members with their kept weights: the best, or the last."""
    chosen, best = state.population.rows(list(members)), state.best
    chosen.params = chosen.answering
    place = best.chosen_P[list(members)]
    if bool(place.any()):
        rows = torch.tensor(list(members))[place]
        chosen.params[place] = best.params[rows]
        chosen.buffers[place] = best.buffers[rows]
    return replace(chosen, average=chosen.average[:0])


def answer_module(
    model: Model,
    config: TrainConfig,
    state: TrainingState,
    *,
    best_weights: bool,
    members: Sequence[int] | None = None,
    limits: Limits | None = None,
) -> nn.Module:
    """The single network or the ensemble, as a plain module in evaluation mode on the CPU.

    best_weights: use best instead of last weights, for members that keep them. members: the members of one of
    several ensembles, whose limits are then used; None: all members.
    """
    population, best = state.population, state.best if best_weights else None
    if config.shared.ensemble == 1:
        return member_module(model, population, 0, best)
    answering = answering_members(model, state, config.shared, members)
    nets = [member_module(model, population, member, best) for member in answering]
    return Ensemble(nets, model.loss, limits if members is not None else model.limits).eval()


# ---- validation

OUTPUTS_AT_ONCE = 4_000_000


class Answer(NamedTuple):
    """Outputs ``[N, C]`` for validation rows; their y, the target's scale, and the rows' weights, if any."""

    output_NC: Tensor
    y: Tensor
    scale: Sequence[Scale]
    weights: list[Tensor]


@dataclass(frozen=True, eq=False)
class Validation:
    """Measures members on validation rows. outputs: number of outputs per row. scale_G: the deviation of a
    regression target (or of each of several), for all bags or for each. batch_size: the training's batch size
    (None: all rows), for the deviation of the loss over such batches."""

    kernel: Kernel
    model: Model
    rows: KernelRows
    outputs: int
    scale_G: Sequence[Sequence[Scale]]
    batch_size: int | None

    def measure(
        self, population: Population, members: Tensor, known: dict[int, Answer] | None = None
    ) -> tuple[dict[str, Tensor], float | None]:
        """``{metric: [P] float64}`` of these members, NaN for others; and, if P is 1, the deviation of the
        loss. known: their answers are added to it."""
        metrics: dict[str, Tensor] = {}
        with torch_context(self.kernel.intra_op_threads):
            for part in members.split(self.at_once):
                answers = self.answers(population, part)
                metrics = self.figures(answers, len(population), metrics)
                if known is not None:
                    known.update(answers)
            return metrics, self.deviation(*answers.values()) if len(population) == 1 else None

    def answers(self, population: Population, members: Tensor) -> dict[int, Answer]:
        """The answers of these members, at most ``at_once``, with their present weights."""
        answers: dict[int, Answer] = {}
        own, bag_R = self.rows.rows_G, population.bag_P[members]
        apart = bag_R.unique().tolist() if own or len(self.scale_G) > 1 else [0]
        for bag in apart:
            rows = replace(self.rows, x=own[bag][0], y=own[bag][1]) if own else self.rows
            scale = self.scale_G[bag if len(self.scale_G) > 1 else 0]
            part = members[bag_R == bag] if len(apart) > 1 else members
            output_RNC, y = outputs_on(rows, self.kernel, self.model, population, part)
            for member, output_NC in zip(part.tolist(), output_RNC, strict=True):
                weights = [] if rows.weight_GN is None else [rows.weight_GN[population.bag_P[member]]]
                answers[member] = Answer(output_NC, y, scale, weights)
        return answers

    def joint(self, answers: Sequence[Answer], clip: Limits | None) -> Answer:
        """The answer of the ensemble of these members, whose bags must weight the validation rows alike.
        clip: the limits of its predictions."""
        limits = None if clip is None else torch.tensor(clip)
        output_NC = mean_output(torch.stack([a.output_NC for a in answers]), self.model.loss, limits)
        return answers[0]._replace(output_NC=output_NC)

    def figures(
        self, answers: Mapping[int, Answer], count: int, metrics: dict[str, Tensor]
    ) -> dict[str, Tensor]:
        """``{metric: [count] float64}``: ``metrics``, or NaN, with those of these answers at their places.
        Answers for as many rows are measured at once."""
        alike: dict[tuple[int, int | None], list[int]] = {}
        for place, answer in answers.items():
            apart = isinstance(answer.scale[0], Preparation) or self.model.loss.metric  # can't be stacked
            alike.setdefault((len(answer.y), id(answer.y) if apart else None), []).append(place)
        for places in alike.values():
            outputs, ys, scales, weights = zip(*map(answers.__getitem__, places), strict=True)
            y, scale = ys[0], scales[0]
            if any(each is not y for each in ys):
                y, scale = torch.stack(ys), torch.tensor(scales, dtype=torch.float64).movedim(-1, 0)
            weight = map(torch.stack, zip(*weights, strict=True))
            for name, value_R in measure(torch.stack(outputs), y, self.model.loss, scale, *weight).items():
                empty = torch.full((count,), torch.nan, dtype=torch.float64)
                metrics.setdefault(name, empty)[places] = value_R
        return metrics

    def deviation(self, answer: Answer) -> float:
        """The deviation of the loss over batches."""
        output_NC, y, _scale, weights = answer
        return batch_deviation(output_NC, y, self.model.loss, self.batch_size, *weights)

    @property
    def at_once(self) -> int:
        """The number of members whose outputs are computed at once."""
        return max(1, OUTPUTS_AT_ONCE // (len(self.rows.x) * self.outputs))


def outputs_on(
    rows: KernelRows, kernel: Kernel, model: Model, population: Population, members: Tensor
) -> tuple[Tensor, Tensor]:
    """Outputs ``[R, N, C]`` of these members for all rows, and y in order. Rows on disk are read in parts."""
    if isinstance(rows.x, Tensor):
        return kernel.outputs(population, members, rows.x), rows.y
    outputs, targets = [], []
    for x, y in rows.x.parts(rows.y, part_rows(rows.x)):
        outputs.append(kernel.outputs(population, members, as_kernel_input(x, model)))
        targets.append(model.loss.target(y, model.dtype))
    return torch.cat(outputs, 1), torch.cat(targets)
