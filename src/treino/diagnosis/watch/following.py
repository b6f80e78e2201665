"""Nets that no step trains: copies that follow a trained net or were loaded from it, and parts of one."""

from collections.abc import Iterable

import torch
from torch import nn

from treino.diagnosis.watch.output import Net

ENTRIES, MATRICES = 4096, 8  # of a copy's weights that are compared
LEAST = 64  # entries; fewer agree by chance
CLOSE = 0.5  # cosine of the weights; it is near zero between nets that began apart


def follows(module: nn.Module, nets: Iterable[tuple[nn.Module, Net]]) -> bool:
    """Whether a net has the weights of one that was trained, or some that follow them."""
    own = list(module.parameters())
    ids, shapes = {id(p) for p in own}, [p.shape for p in own]
    for other, net in nets:
        if net.seen.trained < 2 or other is module or not own:
            continue
        theirs = list(other.parameters())
        if ids <= {id(p) for p in theirs}:
            return True
        if shapes == [p.shape for p in theirs] and _close(own, theirs):
            return True
    return False


def _close(own: list[nn.Parameter], theirs: list[nn.Parameter]) -> bool:
    pairs = [(a, b) for a, b in zip(own, theirs, strict=True) if a.dim() > 1][:MATRICES]
    if not pairs:
        return False
    a, b = (torch.cat([pair[i].detach().flatten()[:ENTRIES].float() for pair in pairs]) for i in (0, 1))
    return len(a) >= LEAST and float(torch.cosine_similarity(a, b, dim=0)) > CLOSE
