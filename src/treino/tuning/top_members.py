"""What a sweep keeps of a bracket: the best members' weights, and all scores of each validation row."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from treino.engine import Loss, TrainingLoop
from treino.engine.metrics import MetricInputs, row_losses
from treino.engine.net_state import left_out
from treino.tuning.bracket import TrainingBracket

MODELS = "models.safetensors"
JUDGED = 1000  # members of a bracket whose rows are kept; the others are too far behind to have been chosen
ROWS = 2000  # validation rows, drawn once, that are kept of larger sets
ANSWERED_AT_ONCE = 4_000_000  # outputs


@dataclass(frozen=True, eq=False)
class TopMember:
    """A kept network: its figure and loss (lower is better), its weights by their ``state_dict`` names,
    and the buffers that are not among these."""

    member: int
    figure: float
    loss: float
    weights: Mapping[str, Tensor]
    buffers: Mapping[str, Tensor] = field(default_factory=dict)

    @property
    def state(self) -> dict[str, Tensor]:
        return {**self.weights, **self.buffers}


def best_members(bracket: TrainingBracket, count: int) -> list[TopMember]:
    """The bracket's best ``count``, the best first; equal ones by number."""
    order = sorted((*f, m) for m, f in bracket.ranking().items() if f is not None)[:count]
    where = {
        member: (training, row)
        for group, training in zip(bracket.groups, bracket.trainings, strict=True)
        for row, member in enumerate(group.members)
    }
    found = []
    for figure, loss, member in order:
        training, row = where[member]
        net = training.net(row)
        found.append(TopMember(member, figure, loss, net.state_dict(), left_out(net)))
    return found


def top_of_both(one: Sequence[TopMember], other: Sequence[TopMember], count: int) -> list[TopMember]:
    """The best of both; the same member counts once."""
    by_member = {k.member: k for k in (*one, *other)}
    return sorted(by_member.values(), key=lambda k: (k.figure, k.loss, k.member))[:count]


def row_scores(bracket: TrainingBracket, metric: str) -> dict[str, Tensor]:
    """``member [M]``, and each of the best JUDGED members' scores of validation rows, higher is better.

    ``choose [M, N]`` is what decides by ``metric``: a score of each row, or of ``f1_macro`` the class that is
    predicted and of ``auc`` the score of class 1. ``shown [M, N]`` is what people are told: right or wrong
    for classes, the squared error (turned) for numbers. ``weight [N]``: of each row in the loss.
    ``target [N]``: the classes or values.
    """
    figures = bracket.figures()
    chosen = {m for _f, m in sorted((f, m) for m, f in figures.items() if f is not None)[:JUDGED]}
    members: list[int] = []
    same: dict[str, Tensor] = {}
    parts: dict[str, list[Tensor]] = {"choose": [], "shown": []}
    for group, training in zip(bracket.groups, bracket.trainings, strict=True):
        rows = [row for row, member in enumerate(group.members) if member in chosen]
        validation = group.data.validation
        index_N = validation_sample(len(validation))
        x_ND, y_N = validation.x[index_N], validation.y[index_N]
        size = max(1, ANSWERED_AT_ONCE // max(1, len(index_N) * training.outputs))
        for start in range(0, len(rows), size):
            some = rows[start : start + size]
            output_RNC = member_outputs(training, some, x_ND)
            members += [group.members[row] for row in some]
            weight_N, scores = row_score_parts(output_RNC, y_N, training.loss_function, metric)
            same = {"weight": weight_N.float(), "target": y_N}
            for name, score_RN in scores.items():
                parts[name].append(score_RN)
    found = {"member": torch.tensor(members, dtype=torch.int64)}
    return found | same | {name: torch.cat(some) for name, some in parts.items() if some}


def member_outputs(training: TrainingLoop, rows: Sequence[int], x_ND: Tensor) -> Tensor:
    """``[R, N, C]``: outputs of these members' kept networks on prepared rows."""
    shape = training.shared.item_shape
    return training.answers(
        training.kept_population(rows), x_ND if shape is None else x_ND.reshape(-1, *shape)
    )


def validation_sample(rows: int) -> Tensor:
    """The validation rows whose scores are kept: all, or ROWS of them, evenly spaced."""
    return torch.arange(rows) if rows <= ROWS else torch.linspace(0, rows - 1, ROWS).round().long()


def row_score_parts(
    output_RNC: Tensor, y: Tensor, loss: Loss, metric: str
) -> tuple[Tensor, dict[str, Tensor]]:
    """Weights ``[N]`` of the rows, and ``choose`` and ``shown`` ``[R, N]``; see ``row_scores``."""
    N = output_RNC.shape[1]
    each = [row_losses(output_NC, y, loss) for output_NC in output_RNC]
    weight_N = torch.from_numpy(each[0][1])
    loss_RN = torch.stack(
        [torch.from_numpy(value_N / weight_N.clamp(min=1e-300).numpy()) for value_N, _weight_N in each]
    )
    if loss.task == "regression":
        error_RNC = output_RNC - y.reshape(N, -1)
        shown_RN = -error_RNC.square().mean(-1)
        choose = {"loss": -loss_RN, "mae": -error_RNC.abs().mean(-1)}
    else:
        inputs = MetricInputs(output_RNC, y.reshape(-1))
        shown_RN = inputs.guess_RN == inputs.y
        choose = {"loss": -loss_RN, "f1_macro": inputs.guess_RN, "auc": inputs.score_RN}
    if metric != "loss":
        weight_N = torch.ones_like(weight_N)
    return weight_N, {"choose": choose.get(metric, shown_RN).float(), "shown": shown_RN.float()}


def top_tensors(kept: Sequence[TopMember]) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The top in one file: ``17/0.weight``, ``17+/table``; the order and figures beside it."""
    tensors = {f"{k.member}/{name}": t for k in kept for name, t in k.weights.items()}
    tensors |= {f"{k.member}+/{name}": t for k in kept for name, t in k.buffers.items()}
    return tensors, {
        "order": [k.member for k in kept],
        "figures": [k.figure for k in kept],
        "losses": [k.loss for k in kept],
    }


def top_from_tensors(tensors: Mapping[str, Tensor], meta: Mapping[str, Any]) -> list[TopMember]:
    found = []
    for member, figure, loss in zip(meta["order"], meta["figures"], meta["losses"], strict=True):
        weights, buffers = (
            {n.removeprefix(head): t for n, t in tensors.items() if n.startswith(head)}
            for head in (f"{member}/", f"{member}+/")
        )
        found.append(TopMember(member, figure, loss, weights, buffers))
    return found
