"""Weights of a folder: their files, loading them into a network, and outputs stored to check the network."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from treino.base.errors import Refusal, TreinoError
from treino.base.words import _
from treino.engine import TrainingLoop
from treino.engine.net_state import left_out, put_state
from treino.engine.population import padded
from treino.engine.rng import fork_rng
from treino.engine.training_setup import COMPARED_ROWS, unkept
from treino.engine.user_module import module_copy
from treino.folders.documents.reading import read_tensors
from treino.folders.store import RunFolder

NET_DIFFERS = Refusal("The network has other tensors than {run}: {why}", "{hint}")
NET_ANSWERS = Refusal(
    "This network has the weights of {run}, but gives other answers than {run} gave.",
    (
        "Give the code that was trained, or [[trust=True]] the copy in the folder. If it is that"
        " code, forward depends on something that is neither a parameter nor a buffer, and is made"
        " anew each time."
    ),
)

# ---- weights of a folder loaded into a network


def with_weights(net: nn.Module, tensors: Mapping[str, Tensor], name: str) -> nn.Module:
    """Load copies of ``tensors`` into ``net`` and return it in eval mode. name: the run's, for errors.

    Raises:
        TreinoError: the network has other tensors.
    """
    try:
        put_state(net, tensors)
    except ValueError as error:
        hint = _("Give the network that was trained, or [[trust=True]] the copy in the folder.")
        raise NET_DIFFERS(run=name, why=error, hint=hint) from None
    return net.eval()


def check_layers(
    wanted: Sequence[tuple[int, ...]], shapes: Iterable[Sequence[int]], name: str, members: int = 1
) -> None:
    """Refuse layers whose sizes don't fit the kept weights, before the network is built.

    wanted: the shapes of the network's parameters. shapes: the shapes of all kept tensors. members: the
    number of networks to which the tensors belong.

    Raises:
        TreinoError: the shapes don't fit.
    """
    kept = sorted(tuple(shape) for shape in shapes if len(shape) > 1)
    if kept != sorted([shape for shape in wanted if len(shape) > 1] * members):
        raise _of_other_sizes(wanted, name)


def check_row(wanted: Sequence[tuple[int, ...]], gates: int, numbers: int, name: str) -> None:
    """Refuse layers as ``check_layers`` does, for a flat row of ``numbers`` parameters, which has no shapes.

    gates: the number of column factors that are trained with these layers.

    Raises:
        TreinoError: a network of these layers has another number of parameters.
    """
    if numbers != padded(gates) + sum(padded(math.prod(shape)) for shape in wanted):
        raise _of_other_sizes(wanted, name)


def _of_other_sizes(wanted: Sequence[tuple[int, ...]], name: str) -> TreinoError:
    sizes = ", ".join(str(shape[0]) for shape in wanted if len(shape) > 1)
    hint = _(
        "Its settings and its weights are not of one network: take it again from where it came, or train."
    )
    return NET_DIFFERS(run=name, why=_("layers of {sizes}").format(sizes=sizes), hint=hint)


# ---- check outputs of a user's network

TOLERANCE = 0.02  # relative to the largest output: machines round differently, in bfloat16 by hundredths
MOST_ANSWERS = 1000  # outputs of a row that are compared
ANSWERS = "answers"  # key in the metadata of the weights


def answers_of(net: nn.Module, item_shape: Sequence[int]) -> list[list[float]] | None:
    """``[4, C]``: the network's outputs for four artificial rows of 0 and 1; None if it fails on them.

    Such rows contain no user data, and are also valid as word or class indices, which are integers.
    """
    zero_4D = torch.zeros(4, *item_shape)
    flat_4D = zero_4D.view(4, -1)
    flat_4D[1], flat_4D[2, ::2], flat_4D[3, 1::2] = 1.0, 1.0, 1.0
    try:
        answer = _answer(module_copy(net), zero_4D)
    except (Exception, SystemExit):
        return None
    numbers: list[list[float]] = answer.double().flatten(1)[:, :MOST_ANSWERS].tolist()
    return numbers


def check_answers(net: nn.Module, item_shape: Sequence[int], known: Any, run: str) -> None:
    """Refuse a network whose outputs differ from its outputs when the run was sealed.

    known: the result of ``answers_of`` then.

    Raises:
        TreinoError: the network's code, or state that is neither parameter nor buffer, has changed.
    """
    if known is None:
        return
    now = answers_of(net, item_shape)
    try:
        before_4C, now_4C = torch.tensor(known), torch.tensor(now)
        most = float(before_4C.abs().nan_to_num(0.0, 0.0, 0.0).max()) * TOLERANCE
        same = torch.allclose(now_4C, before_4C, rtol=0.0, atol=most + 1e-6, equal_nan=True)
    except (RuntimeError, TypeError, ValueError):  # another number of outputs, or none
        same = False
    if not same:
        raise NET_ANSWERS(run=run)


def notes_on_answers(training: TrainingLoop, net: nn.Module, x: Tensor) -> list[str]:
    """Notes on a user's network that a reader of its metrics needs. x: prepared rows, ``[N, ...]``."""
    if training.model.net is not None or not len(x):
        return []
    with torch.no_grad():
        return _notes(training, net, x)


def _notes(training: TrainingLoop, net: nn.Module, x: Tensor) -> list[str]:
    x = x.reshape(-1, *(training.model.item_shape or x.shape[1:]))
    copy, some = module_copy(net), x[:COMPARED_ROWS]
    once_NC = copy(some.clone())
    if not _close(once_NC, copy(some.clone())):
        return [
            _(
                "The network gives different answers when it is asked twice about the same rows, so its"
                " figures hold for one pass only. Let forward draw random numbers and count only if"
                " self.training."
            )
        ]
    notes = []
    if not _alone(module_copy(net), x[:2], once_NC[:2]):
        notes.append(
            _(
                "The network's answer for a row depends on the other rows of its batch, so predictions for"
                " other sets of rows differ from these figures."
            )
        )
    changed = unkept(training.setup, training.state, x)
    if changed is not None:
        notes.append(
            _(
                "Training changed something in the network that is neither a parameter nor a buffer{names},"
                " and its answers depend on it. It is not saved: these figures, predictions and a resumed run"
                " are without it. Make it a buffer: self.register_buffer('name', tensor)."
            ).format(names=f" ({', '.join(changed)})" if changed else "")
        )
    return notes


def _alone(net: nn.Module, x: Tensor, together: Tensor) -> bool:
    """Whether each row's output alone equals its output in a batch (``together``)."""
    try:
        return all(
            _close(net(row.clone()), wanted)
            for row, wanted in zip(x.split(1), together.split(1), strict=True)
        )
    except Exception:  # such as batch norm on one row
        return False


def _close(one: Tensor, other: Tensor) -> bool:
    return torch.allclose(one, other, rtol=1e-4, atol=1e-5, equal_nan=True)


def _answer(net: nn.Module, x: Tensor) -> Tensor:
    with fork_rng(0), torch.no_grad():
        answer: Tensor = net.eval()(x)
        return answer


# ---- weight files of a run

WEIGHTS = "model.safetensors"
BUFFERS = "buffers.safetensors"  # registered with persistent=False


def write_weights(folder: RunFolder, net: nn.Module, item_shape: Sequence[int] | None) -> None:
    """Write the weights; with ``item_shape`` (a network of the user's own) also its check outputs."""
    answers = {} if item_shape is None else {ANSWERS: answers_of(net, item_shape)}
    folder.write_tensors(WEIGHTS, dict(net.state_dict()), answers)
    if beside := left_out(net):
        folder.write_tensors(BUFFERS, beside, {})


def read_weights(folder: RunFolder) -> tuple[Mapping[str, Tensor], Any]:
    """The weights and buffers that ``write_weights`` wrote, and the check outputs, if any."""
    tensors, known = read_tensors(folder, WEIGHTS)
    beside = read_tensors(folder, BUFFERS)[0] if folder.has(BUFFERS) else {}
    return {**tensors, **beside}, known.get(ANSWERS)
