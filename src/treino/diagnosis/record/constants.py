"""What the best answer without any learning gets: the loss of one constant for all rows."""

import math
from typing import Any

import torch

PAIRED = {"mse_loss": 2, "l1_loss": 1, "smooth_l1_loss": 1, "huber_loss": 1}


def best_constant(
    name: str,
    target: torch.Tensor,
    labels: dict[int, int],
    weights: tuple[float, ...],
    kwargs: dict[str, Any],
) -> float:
    """The mean loss of the best constant answer for these targets; NaN where that isn't known."""
    rows = sum(labels.values())
    if name in ("cross_entropy", "nll_loss") and rows:
        weight = {k: weights[k] if k < len(weights) else 1.0 for k in labels}
        whole = sum(n * weight[k] for k, n in labels.items())
        if whole <= 0:
            return math.nan
        shares = [n * weight[k] / whole for k, n in labels.items() if n * weight[k] > 0]
        return -sum(s * math.log(s) for s in shares)
    if name.startswith("binary_cross_entropy") and rows:
        positive, heavy = labels.get(1, 0) / rows, weights[0] if len(weights) == 1 else 1.0
        up, down = positive * heavy, 1 - positive
        if up <= 0 or down <= 0:
            return 0.0
        share = up / (up + down)
        return -(up * math.log(share) + down * math.log(1 - share))
    power = PAIRED.get(name)
    if power is not None and target.numel() > 1 and target.is_floating_point():
        flat = target.reshape(target.shape[0], -1).double()
        if power == 2:
            return float(flat.var(0, unbiased=False).mean())
        away = (flat - flat.median(0).values).abs()
        knee = float(kwargs.get("beta", kwargs.get("delta", 1.0)))
        if name == "l1_loss" or knee <= 0:
            return float(away.mean())
        bent = torch.where(away < knee, 0.5 * away**2 / knee, away - 0.5 * knee)
        return float(bent.mean()) * (knee if name == "huber_loss" else 1.0)
    return math.nan
