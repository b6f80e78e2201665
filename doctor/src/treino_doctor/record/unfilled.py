"""Record tensors made by ``torch.empty`` that enter a loss before anything was written into them."""

import weakref
from typing import Any

import torch
from torch import nn

from treino_doctor.finding import Site
from treino_doctor.record.log import Backward
from treino_doctor.record.observer import Observer, Recording
from treino_doctor.record.outcomes import Unfilled
from treino_doctor.record.values import VIEWS, Node, shape_of

EMPTY = "empty", "empty_like", "new_empty", "empty_strided"
AWAY = "data", "set_data", "set", "resize", "share_memory", "untyped_storage", "storage", "data_ptr", "dlpack"
MARK = "unfilled"  # key in an operation's detail: (shape, line) of the unfilled tensor that it used
SHAPES = frozenset(  # operations that use only a tensor's shape, or return the tensor itself
    """
    zeros_like ones_like full_like rand_like randn_like randint_like new_zeros new_ones new_full new_tensor
    empty empty_like new_empty empty_strided expand_as view_as reshape_as type_as getitem chunk split expand
    permute transpose t pin_memory data set resize share_memory
    """.split()  # noqa: SIM905
)


class UnfilledTensors(Observer):
    """Watches tensors made by ``torch.empty``: any write into one raises its version.

    Only writes through ``data``, NumPy or another owner of its memory don't: a tensor that shared its memory
    in such a way is ignored.
    """

    def __init__(self, of: Recording) -> None:
        super().__init__(of)
        self._newest: tuple[int, Site | None] = (0, None)  # address and line of the newest empty tensor
        self._parameters: dict[int, tuple[weakref.ref[torch.Tensor], int, Site | None]] = {}
        self._lines: set[Site | None] = set()  # lines that were logged
        of.ran.append(self._ran)

    def install(self) -> None:
        self._tape.observe(self._made, *EMPTY)
        self._tape.observe(self._given_away, *AWAY)
        self._tape.reads.append(lambda name, tensor, result: self._given_away(result, (tensor,), {}, None))
        self._hooks.after(nn.Module, "register_parameter", self._registered)
        self._values.users.append(self._used)

    def _made(self, result: Any, args: Any, kwargs: Any, node: Node | None) -> None:
        if isinstance(result, torch.Tensor) and node is not None and not result.is_meta:
            self._newest = result.data_ptr(), node.site
            node.op = "empty" if result.numel() else "leaf"  # a worker's tensor gets its memory later

    def _given_away(self, result: Any, args: Any, kwargs: Any, node: Node | None) -> None:
        if args and isinstance(args[0], torch.Tensor):
            self._parameters.pop(id(args[0]), None)
            known = self._values.find(args[0])
            if known is not None and known.op == "empty":
                known.op = "leaf"

    def _registered(self, result: Any, args: Any, kwargs: Any) -> None:
        parameter = args[2] if len(args) > 2 else kwargs.get("param")
        if (
            not isinstance(parameter, nn.Parameter)
            or nn.parameter.is_lazy(parameter)
            or not parameter.numel()
        ):
            return
        address, site = self._newest
        if parameter.data_ptr() == address and parameter._version == 0:
            self._parameters[id(parameter)] = weakref.ref(parameter), address, site
        self._newest = 0, None

    def _used(self, op: str, tensor: torch.Tensor, parent: Node, node: Node) -> None:
        """Mark an operation on a tensor that is still empty."""
        while parent.op in VIEWS and parent.parents:
            parent = parent.parents[0]
        unwritten = parent.op == "empty" and not tensor.is_inference() and tensor._version == 0
        if unwritten and op not in SHAPES and op not in VIEWS:
            node.detail = node.detail | {MARK: (parent.shape, parent.site)}

    def _ran(self, event: Backward, root: Any) -> None:
        if torch.distributed.is_available() and torch.distributed.is_initialized():
            return  # writes by other processes raise no version
        for reference, address, site in list(self._parameters.values()):
            parameter = reference()
            if parameter is None or parameter.grad is None or parameter._version > 0:
                continue
            if parameter.data_ptr() == address:
                self._tell(event, "parameter", shape_of(parameter), site)
        self._parameters.clear()
        for operation in event.graph.operations:
            if MARK in operation.detail:
                self._tell(event, operation.name, *operation.detail[MARK])

    def _tell(self, event: Backward, kind: str, shape: tuple[int, ...], made_at: Site | None) -> None:
        if made_at not in self._lines:
            self._lines.add(made_at)
            self._log.tell(Unfilled, kind=kind, shape=shape, made_at=made_at, site=event.site)
