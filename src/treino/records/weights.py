"""Weight files of a run: plain ``state_dict`` names, and what is stored beside them."""

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from treino.documents import read_tensors
from treino.engine.net_state import left_out
from treino.records.network_answers import ANSWERS, answers_of
from treino.store import RunFolder

WEIGHTS = "model.safetensors"
BUFFERS = "buffers.safetensors"  # registered with persistent=False


def write_weights(folder: RunFolder, net: nn.Module, item_shape: Sequence[int] | None) -> None:
    """item_shape: of a network of the user's own, whose answers are kept too; None: of treino's layers."""
    answers = {} if item_shape is None else {ANSWERS: answers_of(net, item_shape)}
    folder.write_tensors(WEIGHTS, dict(net.state_dict()), answers)
    if beside := left_out(net):
        folder.write_tensors(BUFFERS, beside, {})


def read_weights(folder: RunFolder) -> tuple[Mapping[str, Tensor], Any]:
    """All that ``write_weights`` wrote of the network, and its answers where they are known."""
    tensors, known = read_tensors(folder, WEIGHTS)
    beside = read_tensors(folder, BUFFERS)[0] if folder.has(BUFFERS) else {}
    return {**tensors, **beside}, known.get(ANSWERS)
