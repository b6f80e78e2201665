"""Metrics of R networks on the same rows, in float64; they agree with scikit-learn's."""

import math
from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from treino.engine.losses import Loss

BETTER: dict[str, int] = {  # +1: larger is better
    "loss": -1, "accuracy": 1, "f1_macro": 1, "auc": 1, "rmse": -1, "mae": -1, "r2": 1,
}  # fmt: skip
# of the losses that are plain means; held against the registry
ELEMENTWISE_LOSSES: dict[str, Callable[..., Tensor]] = {
    "bce": F.binary_cross_entropy_with_logits,
    "mse": F.mse_loss,
    "l1": F.l1_loss,
    "huber": F.huber_loss,
}


def metric_names(loss: Loss, outputs: int) -> tuple[str, ...]:
    """What ``measure`` gives for this loss and number of outputs."""
    if loss.task == "regression":
        return ("loss", "rmse", "mae", "r2")
    return ("loss", "accuracy", "f1_macro", *(("auc",) if outputs <= 2 else ()))


def measure(
    output_RNC: Tensor, y: Tensor, loss: Loss | str = "cross_entropy", scale: float = 1.0
) -> dict[str, Tensor]:
    """-> {metric: ``[R]`` float64 on the CPU}; empty where there are no rows.

    output_RNC: the networks' outputs (logits, or standardised values), ``[R, N, C]``. y: ``[N]`` class
    numbers, or ``[N, K]`` values. loss: gives ``loss``, in training units, and the task.
    scale: a regression target's standard deviation: rmse and mae are multiplied with it.

    Classification: ``loss accuracy f1_macro``, and ``auc`` for two classes; f1_macro is the mean over the
    classes that occur in y or among the predictions, as in scikit-learn; auc is NaN where y has one class.
    All are NaN where an output is: such a row has no answer, which is neither right nor wrong.
    Regression: ``loss rmse mae r2``; r2 is 0 for a constant y that is not met exactly, 1 if it is, NaN for
    one row, as in scikit-learn.
    """
    loss = Loss(loss) if isinstance(loss, str) else loss
    if not len(y):
        return {}
    output_RNC, y = output_RNC.detach().cpu().double(), y.detach().cpu()
    target = loss.target(y, torch.float64)
    # one network at a time, so that a figure doesn't depend on how many are measured together
    found = {"loss": torch.stack([loss(output_NC.contiguous(), target) for output_NC in output_RNC])}
    if loss.task == "regression":
        return found | _regression(output_RNC, target, scale)
    return found | _classification(output_RNC, y.long().reshape(-1))


def _classification(output_RNC: Tensor, y_N: Tensor) -> dict[str, Tensor]:
    outputs = output_RNC.shape[-1]
    if outputs == 1:
        score_RN, guess_RN = output_RNC[..., 0], (output_RNC[..., 0] > 0).long()
    else:
        score_RN, guess_RN = output_RNC[..., -1] - output_RNC[..., 0], output_RNC.argmax(-1)
    answered_R = ~output_RNC.isnan().flatten(1).any(1)  # argmax takes NaN for the largest
    found = {
        "accuracy": (guess_RN == y_N).sum(-1).double() / len(y_N),
        "f1_macro": _f1(guess_RN, y_N, max(2, outputs)),
    }
    found = {name: torch.where(answered_R, value_R, torch.nan) for name, value_R in found.items()}
    if outputs <= 2:
        found["auc"] = _auc(score_RN.contiguous(), y_N)
    return found


def _f1(guess_RN: Tensor, y_N: Tensor, classes: int) -> Tensor:
    """2 TP / (guessed + true) per class, the mean over classes that occur at all."""
    classes = max(classes, int(y_N.max()) + 1)
    true_C = torch.bincount(y_N, minlength=classes)
    offset_R1 = torch.arange(len(guess_RN)).unsqueeze(1) * classes

    def counts(labels_RN: Tensor, kept: Tensor | None = None) -> Tensor:
        flat = (labels_RN + offset_R1).reshape(-1)
        flat = flat if kept is None else flat[kept.reshape(-1)]
        return torch.bincount(flat, minlength=len(guess_RN) * classes).view(-1, classes)

    guessed_RC, right_RC = counts(guess_RN), counts(guess_RN, guess_RN == y_N)
    total_RC = guessed_RC + true_C
    f1_RC = 2 * right_RC.double() / total_RC.clamp(min=1)
    return f1_RC.sum(-1) / (total_RC > 0).sum(-1)


def _auc(score_RN: Tensor, y_N: Tensor) -> Tensor:
    """The chance that a row of class 1 scores above one of class 0; ties count half (Mann & Whitney)."""
    positive = int(y_N.sum())
    negative = len(y_N) - positive
    if not positive or not negative:
        return torch.full((len(score_RN),), torch.nan, dtype=torch.float64)
    sorted_RN, score_RM = score_RN.sort(-1).values, score_RN[:, y_N == 1]
    below_RM, upto_RM = (torch.searchsorted(sorted_RN, score_RM, right=right) for right in (False, True))
    rank_RM = (
        below_RM + upto_RM + 1
    ).double() / 2  # from 1 on; ties share their mean; sums of halves are exact
    auc_R = (rank_RM.sum(-1) - positive * (positive + 1) / 2) / (positive * negative)
    return torch.where(score_RN.isfinite().all(-1), auc_R, torch.nan)


def _regression(output_RNK: Tensor, y_NK: Tensor, scale: float) -> dict[str, Tensor]:
    spread_K = (y_NK - y_NK.mean(0)).square().sum(0)
    rows: dict[str, list[Tensor]] = {"rmse": [], "mae": [], "r2": []}
    for output_NK in output_RNK:
        error_NK = output_NK - y_NK
        square_K = error_NK.square().sum(0)
        rows["rmse"].append((square_K / len(y_NK)).sqrt().mean() * scale)
        rows["mae"].append(error_NK.abs().mean() * scale)
        r2_K = 1 - square_K / spread_K
        r2_K = torch.where(spread_K > 0, r2_K, (square_K == 0).double())
        rows["r2"].append(r2_K.mean() if len(y_NK) > 1 else torch.tensor(math.nan, dtype=torch.float64))
    return {name: torch.stack(values) for name, values in rows.items()}


def row_losses(output_NC: Tensor, y: Tensor, loss: Loss) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Each row's weighted loss and weight ``[N]``: the loss of all is the one's sum over the other's."""
    output_NC = output_NC.double()
    if loss.name != "cross_entropy":
        each = ELEMENTWISE_LOSSES[loss.name](output_NC, loss.target(y, output_NC.dtype), reduction="none")
        return each.mean(dim=1).cpu().numpy(), np.ones(len(y))
    if loss.softmax_first:
        output_NC = output_NC.softmax(dim=1)
    given = loss.class_weights or (1.0,) * output_NC.shape[1]
    weight_C = torch.tensor(given, dtype=output_NC.dtype, device=output_NC.device)
    target_N = loss.target(y, output_NC.dtype)
    loss_N = F.cross_entropy(
        output_NC, target_N, weight_C, label_smoothing=loss.label_smoothing, reduction="none"
    )
    return loss_N.cpu().numpy(), weight_C[target_N].cpu().numpy()


def batch_deviation(output_NC: Tensor, y: Tensor, loss: Loss, batch: int | None) -> float:
    """By how much the loss of a batch of these rows, drawn with replacement, deviates from that of all.

    batch: its rows; None, or more than there are: as many as there are. The rows' deviation over the root of
    that number; where the mean is a weighted one, to first order. NaN for a single row.
    """
    if len(y) < 2:
        return math.nan
    value_N, weight_N = row_losses(output_NC.detach().cpu(), y.detach().cpu(), loss)
    with np.errstate(all="ignore"):  # outputs of a network that diverges may overflow
        mean = value_N.sum() / weight_N.sum()
        apart_N = (value_N - mean * weight_N) / weight_N.mean()
        return float(np.sqrt(np.mean(apart_N**2) / min(batch or len(y), len(y))))
