"""The ensemble of a population's best half as one module; and metrics of members on validation rows."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from treino.data.mapped_rows import part_rows
from treino.engine.batch_sources import KernelRows, as_kernel_input
from treino.engine.devices import torch_context
from treino.engine.kernels import Kernel
from treino.engine.losses import Loss
from treino.engine.members import member_module
from treino.engine.metrics import METRICS, batch_deviation, measure
from treino.engine.population import Population
from treino.engine.shared_config import Limits, SharedConfig
from treino.engine.train_config import TrainConfig
from treino.engine.training_state import DIVERGED, TrainingState
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

    def forward(self, x: Tensor) -> Tensor:
        output_RBC = torch.stack([member(x) for member in self.members])
        return mean_output(output_RBC, self.loss, self.limits)


def mean_output(output_RBC: Tensor, loss: Loss | str, limits: Tensor | None = None) -> Tensor:
    """``[B, C]``: logits of the mean of the members' probabilities, for each target; for regression, the mean
    of their outputs, clipped to the limits ``[2]`` or ``[2, K]``."""
    loss = Loss(loss) if isinstance(loss, str) else loss
    if loss.classes:
        parts = output_RBC.split(loss.classes, -1)
        return torch.cat([mean_output(part, loss.single) for part in parts], -1)
    kind = loss.kind
    if kind.task == "regression":
        mean_BC = output_RBC.mean(0)
        return mean_BC if limits is None else mean_BC.clamp(*limits.to(mean_BC).unbind())
    if kind.of_classes:
        return torch.logsumexp(F.log_softmax(output_RBC, -1), 0) - math.log(len(output_RBC))
    yes_BC, no_BC = (torch.logsumexp(F.logsigmoid(sign * output_RBC), 0) for sign in (1, -1))
    return yes_BC - no_BC


def answering_members(state: TrainingState, s: Settings, members: Sequence[int] | None = None) -> list[int]:
    """The members that form the ensemble, the best first: the half with the best validation values so far,
    ties in order; all if none was evaluated.

    Diverged members are left out, unless all diverged. members: those of one ensemble; None: all.
    """
    every = range(len(state.population)) if members is None else members
    status_P, figure_P = state.status_P.tolist(), state.best.metric_P.tolist()
    better = METRICS[s.metric].better
    able = [member for member in every if status_P[member] != DIVERGED] or list(every)
    measured = [member for member in able if int(state.best.step_P[member]) >= 0]
    if not measured:
        return able
    badness = [-better * figure_P[member] for member in measured]
    return [measured[i] for i in best_half(badness, len(every))]


def best_half(badness: Sequence[float], members: int | None = None) -> list[int]:
    """The places of the best half, the best first; ties in order. members: the number to halve; default:
    the number of values."""
    places = sorted(range(len(badness)), key=badness.__getitem__)
    return places[: -(-(members or len(badness)) // 2)]


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
    shared: SharedConfig,
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
        return member_module(shared, population, 0, best)
    answering = answering_members(state, config.shared, members)
    nets = [member_module(shared, population, member, best) for member in answering]
    return Ensemble(nets, shared.loss, limits if members is not None else shared.limits).eval()


# ---- validation

OUTPUTS_AT_ONCE = 4_000_000
Scale = float | Sequence[float]
Known = dict[int, tuple[Tensor, Tensor, Scale, list[Tensor]]]
"""By member: outputs ``[N, C]`` of its present weights, y, the target's scale, and the rows' weights."""


@dataclass(frozen=True, eq=False)
class Validation:
    """Measures members on validation rows. outputs: number of outputs per row. scale_G: the deviation of a
    regression target (or of each of several), for all bags or for each. batch_size: the training's batch size
    (None: all rows), for the deviation of the loss over such batches."""

    kernel: Kernel
    shared: SharedConfig
    rows: KernelRows
    outputs: int
    scale_G: Sequence[float | Sequence[float]]
    batch_size: int | None

    def measure(
        self, population: Population, members: Tensor, known: Known | None = None
    ) -> tuple[dict[str, Tensor], float | None]:
        """``{metric: [P] float64}`` of these members, NaN for others; and, if P is 1, the deviation of the
        loss. known: gets what ``measure_together`` needs of them."""
        metrics: dict[str, Tensor] = {}
        deviation, loss = None, self.shared.loss
        with torch_context(self.kernel.intra_op_threads):
            for part, output_RNC, y, scale, weights in self._outputs(population, members, known):
                for name, value_R in measure(output_RNC, y, loss, scale, *weights).items():
                    empty_P = torch.full((len(population),), torch.nan, dtype=torch.float64)
                    metrics.setdefault(name, empty_P)[part] = value_R
            if len(population) == 1:
                deviation = batch_deviation(output_RNC[0], y, loss, self.batch_size, *(w[0] for w in weights))
        return metrics, deviation

    def measure_together(
        self,
        population: Population,
        members: Sequence[int],
        clip: Limits | None,
        known: Known,
        alone: bool,
    ) -> tuple[dict[str, float], float | None]:
        """``{metric: value}`` of these members' ensemble; and, if it trains alone, the deviation of its loss.
        Their bags must weight the validation rows alike. clip: the limits of its predictions."""
        loss, more = self.shared.loss, [member for member in members if member not in known]
        with torch_context(self.kernel.intra_op_threads):
            for _more in self._outputs(population, torch.tensor(more, dtype=torch.int64), known):
                pass
            outputs, (y, *_others), (scale, *_same), (weights, *_equal) = zip(
                *map(known.__getitem__, members), strict=True
            )
            limits = None if clip is None else torch.tensor(clip)
            answer_NC = mean_output(torch.stack(outputs), loss, limits)
            figures = measure(answer_NC.unsqueeze(0), y, loss, scale, *weights)
            deviation = batch_deviation(answer_NC, y, loss, self.batch_size, *weights) if alone else None
        return {name: float(value_R[0]) for name, value_R in figures.items()}, deviation

    def _outputs(
        self, population: Population, members: Tensor, known: Known | None
    ) -> Iterator[tuple[Tensor, Tensor, Tensor, Scale, list[Tensor]]]:
        """Yield, for some of the members at a time, their outputs ``[R, N, C]``, y, the target's scale, and
        the rows' weights ``[R, N]``, if they have any."""
        own, bag_R = self.rows.rows_G, population.bag_P[members]
        apart = bag_R.unique().tolist() if own or len(self.scale_G) > 1 else [0]
        for bag in apart:
            rows = replace(self.rows, x=own[bag][0], y=own[bag][1]) if own else self.rows
            scale = self.scale_G[bag if len(self.scale_G) > 1 else 0]
            for part in (members[bag_R == bag] if len(apart) > 1 else members).split(self.at_once):
                weights = [] if rows.weight_GN is None else [rows.weight_GN[population.bag_P[part]]]
                output_RNC, y = outputs_on(rows, self.kernel, self.shared, population, part)
                if known is not None:
                    for member, output_NC in zip(part.tolist(), output_RNC, strict=True):
                        known[member] = output_NC, y, scale, [weight_RN[0] for weight_RN in weights]
                yield part, output_RNC, y, scale, weights

    @property
    def at_once(self) -> int:
        """The number of members whose outputs are computed at once."""
        return max(1, OUTPUTS_AT_ONCE // (len(self.rows.x) * self.outputs))


def outputs_on(
    rows: KernelRows, kernel: Kernel, shared: SharedConfig, population: Population, members: Tensor
) -> tuple[Tensor, Tensor]:
    """Outputs ``[R, N, C]`` of these members for all rows, and y in order. Rows on disk are read in parts."""
    if isinstance(rows.x, Tensor):
        return kernel.outputs(population, members, rows.x), rows.y
    outputs, targets = [], []
    for x, y in rows.x.parts(rows.y, part_rows(rows.x)):
        outputs.append(kernel.outputs(population, members, as_kernel_input(x, shared)))
        targets.append(shared.loss.target(y, shared.dtype))
    return torch.cat(outputs, 1), torch.cat(targets)
