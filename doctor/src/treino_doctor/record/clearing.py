"""Record gradients that are cleared: by an optimizer, by a net, or by hand."""

from typing import Any

from treino_doctor.finding import Site
from treino_doctor.record.lines import here, stack
from treino_doctor.record.log import Cleared
from treino_doctor.record.measures import is_there
from treino_doctor.record.observer import Observer, Recording
from treino_doctor.record.values import Node

WAYS = ("zero", "fill", "mul", "copy")  # in-place operations on a gradient
NEAR = 4  # operations between a gradient and the cleared value: detach, data


class Clearing(Observer):
    """Remembers the line that may have cleared gradients since they were last checked."""

    def __init__(self, of: Recording) -> None:
        super().__init__(of)
        self._place: Site | None = None
        self._stack: tuple[Site, ...] = ()

    def install(self) -> None:
        self._tape.observe(self._set, "set_grad")
        self._tape.observe(self._zeroed, "_foreach_zero_")
        self._tape.observe(self._changed, *WAYS)

    def _set(self, result: Any, args: Any, kwargs: Any, node: Node | None) -> None:
        if args[1] is None or not bool(args[1].any()):
            self._here()

    def _zeroed(self, result: Any, args: Any, kwargs: Any, node: Node | None) -> None:
        self._here()

    def _changed(self, result: Any, args: Any, kwargs: Any, node: Node | None) -> None:
        if result is args[0] and of_gradient(node) and not bool(result.any()):
            self._here()

    def _here(self) -> None:
        if self._place is None:
            self._place, self._stack = here(), stack()

    def look(self, optimizers: Any) -> None:
        """Log each optimizer whose gradients, written since the last step, are all cleared."""
        gone = []
        for held in optimizers if self._place is not None else ():
            written = [p for p in held.parameters() if id(p) in held.written]
            if written and not any(is_there(p) for p in written):
                held.written, held.summed = set(), False
                gone.append(held.number)
        if gone:
            self._log.tell(Cleared, optimizers=tuple(gone), site=self._place, stack=self._stack)
        self.forget()

    def forget(self) -> None:
        """Discard the remembered line."""
        self._place, self._stack = None, ()


def of_gradient(node: Node | None) -> bool:
    """Whether a value is a gradient, or a gradient changed in place."""
    for _ in range(NEAR):
        if node is None or node.op == "grad" or not node.parents:
            break
        node = node.parents[0]
    return node is not None and node.op == "grad"
