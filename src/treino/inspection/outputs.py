"""Outputs of a network on rows: logits or values, probabilities, classes."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import nn

from treino.errors import TreinoError, cause
from treino.words import _


@contextmanager
def evaluating(net: nn.Module, gradients: bool = False) -> Iterator[torch.device]:
    """Set the network to eval mode, without gradients (or with), and restore each module's mode on exit.

    Yields the network's device. Modules may be in different modes (a frozen batch norm in a training
    network), so a single ``net.train(mode)`` can't restore them.
    """
    modes = [(module, module.training) for module in net.modules()]
    tensor = next(net.parameters(), next(net.buffers(), torch.empty(0)))
    net.eval()
    try:
        with torch.set_grad_enabled(gradients):
            yield tensor.device
    finally:
        for module, mode in modes:
            module.training = mode


def outputs(
    net: nn.Module, x_ND: torch.Tensor, batch: int = 4096, item_shape: Sequence[int] | None = None
) -> torch.Tensor:
    """The net's raw outputs (logits, or standardised target values) ``[N, C]`` on the CPU, in eval mode.

    x_ND: prepared rows, reshaped to ``item_shape`` per row if it is given. For zero rows the network is
    evaluated on one row of zeros, for its number of outputs.

    Raises:
        TreinoError: the user's network fails on them.
    """
    with evaluating(net) as device:
        rows = x_ND if len(x_ND) else torch.zeros(1, *x_ND.shape[1:], dtype=x_ND.dtype)
        parts = []
        for x_BD in rows.split(batch):
            x = x_BD.to(device)
            parts.append(_answer(net, x.reshape(len(x), *item_shape) if item_shape else x).cpu())
    logits = torch.cat(parts)
    return logits.reshape(len(logits), -1)[: len(x_ND)]


def _answer(net: nn.Module, x: torch.Tensor) -> torch.Tensor:
    try:
        answer: torch.Tensor = net(x)
    except (Exception, SystemExit) as error:
        raise TreinoError(
            "net_evaluation",
            _("The network fails in evaluation mode, on rows of shape {shape}: {cause}").format(
                shape=list(x.shape), cause=cause(error)
            ),
            _("Send such rows through net.eval() yourself."),
        ) from error
    return answer


def probabilities(logits: torch.Tensor) -> torch.Tensor:
    """Probabilities ``[N, C]`` in the logits' precision: softmax; ``[1 - p, p]`` of a single logit.

    The fault ``softmax_before_cross_entropy`` makes no difference: one softmax is applied to the network's
    last layer.
    """
    if logits.shape[1] == 1:
        return torch.cat([torch.sigmoid(-logits), torch.sigmoid(logits)], dim=1)
    return torch.softmax(logits, dim=1)


def predicted_classes(logits: torch.Tensor) -> torch.Tensor:
    """The winning class ``[N]`` int64; -1 for rows whose outputs are not finite."""
    winner = (logits[:, 0] > 0).long() if logits.shape[1] == 1 else logits.argmax(dim=1)
    return torch.where(logits.isfinite().all(dim=1), winner, -1)
