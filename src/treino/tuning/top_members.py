"""What a sweep keeps of a heat: the weights of the best, and every member's score of each validation row."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from treino.data.dataset import Data
from treino.engine import Loss, Training
from treino.tuning.bracket import Heat

MODELS = "models.safetensors"
JUDGED = 1000  # members of a heat whose rows are kept; the others are too far behind to have been chosen
ROWS = 2000  # validation rows, drawn once, that are kept of larger sets
ANSWERED_AT_ONCE = 4_000_000  # outputs


@dataclass(frozen=True, eq=False)
class Kept:
    """A network of the top: its figure and loss (lower is better), and its weights by their plain names."""

    member: int
    figure: float
    loss: float
    weights: Mapping[str, Tensor]


def best(heat: Heat, count: int) -> list[Kept]:
    """The heat's best ``count``, the best first; equal ones by number."""
    order = sorted((*f, m) for m, f in heat.ranked().items() if f is not None)[:count]
    where = {
        member: (training, row)
        for group, training in zip(heat.groups, heat.trainings, strict=True)
        for row, member in enumerate(group.members)
    }
    found = []
    for figure, loss, member in order:
        training, row = where[member]
        found.append(Kept(member, figure, loss, dict(training.net(row).state_dict())))
    return found


def merged(one: Sequence[Kept], other: Sequence[Kept], count: int) -> list[Kept]:
    """The best of both; the same member counts once."""
    by_member = {k.member: k for k in (*one, *other)}
    return sorted(by_member.values(), key=lambda k: (k.figure, k.loss, k.member))[:count]


def row_scores(heat: Heat, metric: str) -> dict[str, Tensor]:
    """``member [M]``, and each of the best JUDGED members' scores of validation rows, higher is better.

    ``choose [M, N]`` is by the metric that decides, ``shown [M, N]`` by the one that people are told: right
    or wrong for classes, the squared error (turned) for numbers.
    """
    figures = heat.figures()
    chosen = {m for _f, m in sorted((f, m) for m, f in figures.items() if f is not None)[:JUDGED]}
    members: list[int] = []
    parts: dict[str, list[Tensor]] = {"choose": [], "shown": []}
    for group, training in zip(heat.groups, heat.trainings, strict=True):
        rows = [row for row, member in enumerate(group.members) if member in chosen]
        validation = group.data.validation
        index_N = picked(len(validation))
        x_ND, y_N = validation.x[index_N], validation.y[index_N]
        size = max(1, ANSWERED_AT_ONCE // max(1, len(index_N) * training.outputs))
        for start in range(0, len(rows), size):
            some = rows[start : start + size]
            output_RNC = answered(training, some, x_ND)
            members += [group.members[row] for row in some]
            scores = scored(output_RNC, y_N, training.loss_function)
            parts["shown"].append(scores["shown"])
            parts["choose"].append(scores["loss" if metric == "loss" else "shown"])
    found = {"member": torch.tensor(members, dtype=torch.int64)}
    return found | {name: torch.cat(some) for name, some in parts.items() if some}


def answered(training: Training, rows: Sequence[int], x_ND: Tensor) -> Tensor:
    """``[R, N, C]``: what the kept networks of these members answer on prepared rows."""
    shape = training.shared.item_shape
    return training.answers(training.kept(rows), x_ND if shape is None else x_ND.reshape(-1, *shape))


def picked(rows: int) -> Tensor:
    """The validation rows that are kept: all, or ROWS of them, evenly apart."""
    return torch.arange(rows) if rows <= ROWS else torch.linspace(0, rows - 1, ROWS).round().long()


def scored(output_RNC: Tensor, y: Tensor, loss: Loss) -> dict[str, Tensor]:
    """Scores ``[R, N]`` of each row, higher is better: by ``loss``, and as they are ``shown``."""
    R, N = output_RNC.shape[:2]
    if loss.task == "regression":
        error_RN = (output_RNC - y.reshape(N, -1)).square().mean(-1)
        return {"loss": -error_RN.float(), "shown": -error_RN.float()}
    y_N = y.reshape(-1).long()
    if output_RNC.shape[-1] == 1:
        logit_RN = output_RNC[..., 0]
        nll_RN = F.binary_cross_entropy_with_logits(
            logit_RN, y_N.to(logit_RN.dtype).expand(R, N), reduction="none"
        )
        right_RN = (logit_RN > 0).long() == y_N
    else:
        nll_RN = F.cross_entropy(output_RNC.flatten(0, 1), y_N.repeat(R), reduction="none").view(R, N)
        right_RN = output_RNC.argmax(-1) == y_N
    return {"loss": -nll_RN.float(), "shown": right_RN.float()}


def rows_of(data: Data) -> int:
    """How many validation rows the judge sees."""
    return len(picked(len(data.validation)))


def as_tensors(kept: Sequence[Kept]) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The top in one file: ``17/0.weight``; the order and figures beside it."""
    tensors = {f"{k.member}/{name}": t for k in kept for name, t in k.weights.items()}
    return tensors, {
        "order": [k.member for k in kept],
        "figures": [k.figure for k in kept],
        "losses": [k.loss for k in kept],
    }


def from_tensors(tensors: Mapping[str, Tensor], meta: Mapping[str, Any]) -> list[Kept]:
    found = []
    for member, figure, loss in zip(meta["order"], meta["figures"], meta["losses"], strict=True):
        head = f"{member}/"
        weights = {n.removeprefix(head): t for n, t in tensors.items() if n.startswith(head)}
        found.append(Kept(member, figure, loss, weights))
    return found
