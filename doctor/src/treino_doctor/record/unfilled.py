"""Record tensors made by ``torch.empty`` that enter a loss before anything was written into them."""

import ctypes
from typing import Any

import torch
from torch import nn

from treino_doctor.finding import Site
from treino_doctor.record.identity import Ref
from treino_doctor.record.lines import here, unseen
from treino_doctor.record.log import Backward
from treino_doctor.record.observer import Observer, Recording
from treino_doctor.record.outcomes import Unfilled
from treino_doctor.record.torch_versions import storage_of
from treino_doctor.record.values import VIEWS, Node, shape_of

EMPTY = "empty", "empty_like", "new_empty", "empty_strided"
OLD = "new"  # a method that makes an empty tensor of sizes, as torch.Tensor does, and a filled one of data
AWAY = "data", "set_data", "set", "resize", "share_memory", "untyped_storage", "storage", "data_ptr", "dlpack"
MARK = "unfilled"  # key in an operation's detail: (shape, line) of the unfilled tensor that it used
MEMORY = "memory"  # key in the detail of an empty tensor's node: what lay in its memory when it was made
WATCHED = 128  # newest empty tensors that are found by their memory's address
SAMPLE = 64  # bytes that are read at each of three places
AWAY_FROM = "type_as", "set_data", "set", "resize"  # operations that give a tensor other memory


class UnfilledTensors(Observer):
    """Watches tensors made by their sizes alone, as by ``torch.empty``, until something is written there.

    A write by torch raises their version. Others (another process, compiled code, NumPy) change what lies in
    the memory, or are handed it by ways that are seen: then the tensor is ignored.
    """

    def __init__(self, of: Recording) -> None:
        super().__init__(of)
        self._newest: Node | None = None
        self._empty: dict[int, Node] = {}  # by the address of their memory
        self._parameters: dict[int, tuple[Ref[torch.Tensor], Node]] = {}
        self._lines: set[Site | None] = set()  # lines that were logged
        of.ran.append(self._ran)

    def install(self) -> None:
        self._tape.observe(self._made, *EMPTY, OLD)
        self._hooks.replace(torch.Tensor, "__init__", unseen(self._constructor()))
        self._tape.observe(self._given_away, *AWAY)
        self._tape.reads.append(lambda name, tensor, result: self._given_away(result, (tensor,), {}, None))
        self._hooks.observe(nn.Module, "register_parameter", after=self._registered)
        self._values.users.append(self._used)

    def _made(self, result: Any, args: Any, kwargs: Any, node: Node | None) -> None:
        node = node or self._values.made(result, OLD, [], here(), {})  # a constructor's result has none yet
        of_sizes = all(isinstance(size, (int, torch.Size)) for size in args[1:])
        if node is not None and (node.op != OLD or (args[1:] and of_sizes)):
            node.op = "leaf"
            if type(result) is torch.Tensor and result.numel():  # a worker's tensor gets its memory later
                self._newest = _empty(node, result, node.site)
                self._empty[_address(result)] = node
                if len(self._empty) > WATCHED:
                    del self._empty[next(iter(self._empty))]

    def _constructor(self) -> Any:
        """A ``torch.Tensor.__init__`` that sees ``torch.Tensor(n, m)``, which is no function of torch."""

        def init(tensor: torch.Tensor, *args: Any, **kwargs: Any) -> None:
            if type(tensor).__init__ is not init and (args or kwargs):
                object.__init__(tensor, *args, **kwargs)  # raises, as without us
            if type(tensor) is torch.Tensor and self._tape.on and self._hooks.watching():
                self._hooks.quietly("Tensor", self._made, tensor, (None, *args), {}, None)

        return init

    def _given_away(self, result: Any, args: Any, kwargs: Any, node: Node | None) -> None:
        if (self._empty or self._parameters) and args and isinstance(args[0], torch.Tensor):
            of = _address(args[0])
            there = [node for _, node in self._parameters.values() if node.detail[MEMORY][0] == of]
            for node in (_base(self._values.of(args[0])), self._empty.pop(of, None), *there):
                if node is not None and node.op == "empty":
                    node.op = "leaf"

    def _registered(self, result: Any, args: Any, kwargs: Any) -> None:
        parameter = args[2] if len(args) > 2 else kwargs.get("param")
        node, self._newest = self._newest, None
        if type(parameter) is nn.Parameter and node is not None and _unwritten(parameter, node):
            self._parameters[id(parameter)] = Ref(parameter), node

    def _used(self, op: str, tensor: torch.Tensor, parent: Node, node: Node, result: torch.Tensor) -> None:
        """Mark an operation on a tensor that is still empty; a copy of one is empty too."""
        base = _base(parent)
        shape_alone = op.startswith("new") or op.endswith("_like") or op in AWAY_FROM
        if base.op != "empty" or shape_alone or _address(result) == _address(tensor):
            return
        if not _unwritten(tensor, base):
            base.op = "leaf"  # for good: memory that is free again may hold what it held before
        elif op in VIEWS:
            _empty(node, result, base.site)
        else:
            node.detail = node.detail | {MARK: (base.shape, base.site)}

    def _ran(self, event: Backward, root: Any) -> None:
        if torch.distributed.is_available() and torch.distributed.is_initialized():
            return  # other processes write into memory of any device
        for reference, node in self._parameters.values():
            parameter = reference()
            if parameter is not None and parameter.grad is not None and _unwritten(parameter, node):
                self._tell(event, shape_of(parameter), node.site)
        self._parameters.clear()
        for operation in event.graph.operations:
            if MARK in operation.detail:
                self._tell(event, *operation.detail[MARK])

    def _tell(self, event: Backward, shape: tuple[int, ...], made_at: Site | None) -> None:
        if made_at not in self._lines:
            self._lines.add(made_at)
            self._log.tell(Unfilled, shape=shape, made_at=made_at, site=event.site)


def _base(node: Node) -> Node:
    """The node of the tensor that a value is a view or a copy of."""
    while node.op in VIEWS and node.parents:
        node = node.parents[0]
    return node


def _empty(node: Node, tensor: torch.Tensor, made_at: Site | None) -> Node:
    """Note that a tensor is empty, and what lies in its memory."""
    node.op, node.site = "empty", made_at
    node.detail = node.detail | {MEMORY: (_address(tensor), _sample(tensor))}
    return node


def _unwritten(tensor: torch.Tensor, node: Node) -> bool:
    """Whether a tensor still has the memory of an empty one, and nothing was written there."""
    if node.op != "empty" or tensor.is_inference() or tensor._version:
        return False
    return bool(node.detail[MEMORY] == (_address(tensor), _sample(tensor)))


def _address(tensor: torch.Tensor) -> int:
    """Where a tensor's storage begins; 0 if it has none that one could ask for."""
    plain = type(tensor) in (torch.Tensor, nn.Parameter) and tensor.layout is torch.strided
    return storage_of(tensor).data_ptr() if plain else 0


def _sample(tensor: torch.Tensor) -> bytes:
    """Bytes at the beginning, in the middle and at the end of a storage in the processor's memory."""
    begin = _address(tensor) if tensor.device.type == "cpu" else 0
    size = storage_of(tensor).nbytes() if begin else 0
    places = {0, size // 2, max(0, size - SAMPLE)}
    inside = (at for at in sorted(places) if at < size)
    return b"".join(ctypes.string_at(begin + at, min(SAMPLE, size - at)) for at in inside)
