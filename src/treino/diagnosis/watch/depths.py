"""How much of a gradient comes as far as the first weight of a net."""

import math
from collections.abc import Sequence

import torch

from treino.diagnosis.watch.seen import DepthSeen

LEAST = 5  # weights, below which a net isn't deep


def note(depth: DepthSeen, learned: Sequence[tuple[torch.Tensor, torch.Tensor | None]]) -> None:
    """Note the gradient of the first weight against that of the last, of parameters with their gradients in
    the order of the net, where that is deep.
    """
    every = [(p, g.detach()) for p, g in learned if g is not None]
    wide = [i for i, (p, _) in enumerate(every) if p.dim() in (2, 3, 4)]
    if len(wide) < LEAST:
        return
    (_, first), (p, g) = every[wide[0]], every[wide[-1]]
    # Where values die out as gradients do, the last bias alone gets what the loss sends back.
    bias = [h for b, h in every[wide[-1] + 1 : wide[-1] + 2] if b.shape == p.shape[:1]]
    last = max(_size(h) for h in (g, *bias))
    if not last > 0 or not math.isfinite(size := _size(first)):
        return
    depth.ratio.append(size / last)
    depth.layers = len(wide)


def _size(t: torch.Tensor) -> float:
    return float(t.pow(2).mean().sqrt())
