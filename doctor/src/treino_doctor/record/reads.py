"""Record values that leave torch: metrics that a program prints, stores or uses for decisions."""

import builtins
import logging
import re
from collections import deque
from numbers import Real
from typing import Any

import torch

from treino_doctor.finding import Site
from treino_doctor.record.lines import here, stack
from treino_doctor.record.log import Graph, Printed, Read
from treino_doctor.record.measures import single
from treino_doctor.record.nets import Nets
from treino_doctor.record.observer import FirstOnes, Observer, Recording
from treino_doctor.record.values import Node, first_tensors, newest_calls, snapshot

COMPARED = ("eq", "ne", "gt", "lt", "ge", "le", "isclose")
FIGURE = re.compile(r"(?<![\w.])-?\d+\.\d+(?:e-?\d+)?(?![\w.]*\d)")
PRINTS = 4000  # prints looked at
LINES, NEWEST, LONG = 64, 64, 400  # lines that print, newest prints of each, and characters of one


class Reads(Observer):
    """Watches numbers, lists and arrays made from nets' outputs, and comparisons of these outputs."""

    def __init__(self, of: Recording, nets: Nets) -> None:
        super().__init__(of)
        self._nets, self._whole = nets, FirstOnes()
        self._left = PRINTS
        self._prints: dict[Site | None, deque[tuple[dict[str, Any], str]]] = {}

    def install(self) -> None:
        self._hooks.observe(builtins, "print", None, lambda _r, args, _k: self._print(*args), self._looks)
        self._hooks.observe(logging.Logger, "handle", None, self._logged, self._looks)
        self._tape.reads.append(self._read)
        self._tape.observe(self._compared, *COMPARED)
        self._tape.observe(self._derived, "grad")

    def _looks(self, *args: Any, **kwargs: Any) -> bool:
        return self._left > 0

    def _print(self, *values: Any) -> None:
        """Keep what a line prints; its figures are read at the end."""
        self._left -= 1
        site = here()
        if site not in self._prints and len(self._prints) < LINES:
            self._prints[site] = deque(maxlen=NEWEST)
        if site in self._prints:
            tensors = (isinstance(v, torch.Tensor) and v.is_floating_point() for v in values)
            shown = (f"{single(v):.4f}" if own else v for v, own in zip(values, tensors, strict=True))
            text = " ".join(str(v) for v in shown if isinstance(v, (str, Real)))
            self._prints[site].append((self._log.moment(), text[:LONG]))

    def _logged(self, result: Any, args: Any, kwargs: Any) -> None:
        record: logging.LogRecord = args[1]
        self._print(record.msg, *(record.args if isinstance(record.args, tuple) else ()))

    def finish(self) -> None:
        for site, every in self._prints.items():
            for moment, text in every:
                if figures := FIGURE.findall(text):
                    self._log.tell(Printed, site=site, figures=tuple(figures), **moment)

    def _read(self, name: str, tensor: torch.Tensor, result: Any) -> None:
        node = self._values.find(tensor)
        if node is not None and node.forwards:
            self._tell(name.strip("_"), node)

    def _compared(self, result: Any, args: Any, kwargs: Any, node: Node | None) -> None:
        if node is not None and node.forwards and isinstance(result, torch.Tensor):
            self._tell("compared", node)

    def _derived(self, result: Any, args: Any, kwargs: Any, node: Node | None) -> None:
        """Log a value whose derivatives ``autograd.grad`` computes."""
        for value in first_tensors(args[:1]) if isinstance(result, tuple) else ():
            self._tell("grad", self._values.of(value))

    def _tell(self, how: str, node: Node) -> None:
        site, forwards = here(), newest_calls(node.forwards, 8)
        if not self.windows.keeps(how, site) and max(forwards, default=0) <= self._nets.passed:
            return
        graph = snapshot(node, 48) if self._whole.has(how, site) else Graph()
        self._log.tell(Read, site=site, stack=stack(), how=how, forwards=forwards, graph=graph)
