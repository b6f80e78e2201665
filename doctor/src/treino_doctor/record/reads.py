"""Record values that leave torch: metrics that a program prints, keeps or decides by."""

import math
from typing import Any

import torch

from treino_doctor.record.lines import here, stack
from treino_doctor.record.log import Graph, Log, Read
from treino_doctor.record.measures import single
from treino_doctor.record.tape import Tape
from treino_doctor.record.values import Node, Values, first_tensors, newest_calls, snapshot

COMPARED = ("eq", "ne", "gt", "lt", "ge", "le", "isclose")
GRAPHS = 3
EVERY = 16


class Reads:
    """Watches numbers, lists and arrays made from nets' outputs, and comparisons of these outputs."""

    def __init__(self, log: Log, values: Values, tape: Tape) -> None:
        self._log, self._values, self._tape = log, values, tape
        self._seen: dict[Any, int] = {}

    def install(self) -> None:
        """Register the observers."""
        self._tape.reads.append(self._read)
        self._tape.observe(self._compared, *COMPARED)
        self._tape.observe(self._derived, "grad")

    def _read(self, name: str, tensor: torch.Tensor, result: Any) -> None:
        node = self._values.find(tensor)
        if node is not None and node.forwards:
            value = float(result) if isinstance(result, (int, float)) else math.nan
            if math.isnan(value) and not tensor.is_complex():
                value = single(tensor)  # printed as it is
            self._tell(name.strip("_"), node, value, tensor.requires_grad)

    def _compared(self, result: Any, args: Any, kwargs: Any, node: Node | None) -> None:
        if node is not None and node.forwards and isinstance(result, torch.Tensor):
            self._tell("compared", node, math.nan, False)

    def _derived(self, result: Any, args: Any, kwargs: Any, node: Node | None) -> None:
        """Log a value whose derivatives ``autograd.grad`` computes."""
        for value in first_tensors(args[:1]) if isinstance(result, tuple) else ():
            self._tell("grad", self._values.of(value), math.nan, True)

    def _tell(self, how: str, node: Node, value: float, grad: bool) -> None:
        site = here()
        times = self._seen[how, site] = self._seen.get((how, site), 0) + 1
        whole = times <= GRAPHS or times % EVERY == 0
        self._log.tell(
            Read,
            how=how,
            site=site,
            stack=stack(),
            forwards=newest_calls(node.forwards, 8),
            value=value,
            grad=grad,
            graph=snapshot(node, 48) if whole else Graph(),
        )
