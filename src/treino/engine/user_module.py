"""The user's modules: how they are constructed, copied, tested on two rows, and get seeded dropout."""

import copy
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from treino.base.errors import Refusal, TreinoError, cause
from treino.base.library_parts import gradient_hooks
from treino.base.own_calls import own_call
from treino.base.words import _
from treino.data.documents import InputArray
from treino.engine.arguments import unpacking_of
from treino.engine.buffers import DropoutMask
from treino.engine.losses import Loss
from treino.engine.net_state import check_forms, forms
from treino.engine.rng import dropout_threshold, fork_rng, generator

NET_KIND = Refusal("What makes the network returns a {kind}, not an nn.Module.", "Return the network.")
NET_NO_PARAMETERS = Refusal(
    "The network {name} has no parameters to train.",
    "Assign its layers to self in __init__: self.out = nn.Linear(4, 3). A plain list hides them.",
)
NET_DETACHED = Refusal(
    "The network's output is cut off from its parameters, so that nothing can be learned.",
    (
        "Leave .detach(), .data, torch.no_grad(), argmax and numpy out of forward; and make forward"
        " a method of the class, not a function that is put into a network."
    ),
)
NET_OUTPUT = Refusal(
    "For {rows} rows the network returns {got}; wanted are floating-point numbers of shape {wanted}.",
    "Return a tensor [batch, {outputs}]: the last layer has {outputs} outputs, and each item its row.",
)
NET_OUTPUT_AXES = Refusal(
    "For {rows} rows the network returns {got}; wanted are floating-point numbers of shape {wanted}.",
    (
        "Classes are the second axis, before those of the target, as torch's losses take them: of "
        "[batch, ..., classes] return out.movedim(-1, 1). Values have the target's own shape."
    ),
    rule="net_output",
)
NET_COPY = Refusal(
    "The network can't be copied: {cause}.",
    "Keep no results of a forward pass in it, or detach them: self.h = h.detach().",
)
NET_FROZEN = Refusal(
    "All parameters of the network {name} are frozen (requires_grad False).",
    "Leave those of a layer free: net.out.requires_grad_(True).",
)
BATCH_OF_ONE = Refusal(
    "The last of {rows} training rows is a batch by itself, and the network fails on it: {why}", "{hint}"
)
NET_FAILS = Refusal("Making the network raises {cause}.", "{hint}")
NET_BACKWARD = Refusal(
    "The gradient of the loss fails on two rows: {cause}",
    "Perhaps autograd needs what was changed in place: write h.relu(), not h.relu_().",
)
NET_EVALUATION = Refusal(
    "The network fails in evaluation mode, on rows of shape {shape}: {cause}",
    "Send such rows through net.eval() yourself.",
)
TOKEN_RANGE = Refusal(
    "{place} gives the number {number}, and the table of layer {name} ({kind}) has the numbers 0 to {last}.",
    "Correct it, or give one of these numbers to what the table lacks, as to unknown words; a network with a "
    "larger table has to be trained anew.",
)
NET_SIZE = Refusal(
    "Layer {name} ({kind}) has {attribute}={expected}, and {got} arrive (shape {shape}).", "{hint}"
)

# torch says it of its own faster path through encoders with a padding mask, which nobody chose
warnings.filterwarnings("ignore", "The PyTorch API of nested tensors is in prototype stage")

LayerRow = tuple[str, str, str, str, int]  # name, kind, in, out, parameters


class HashDropout(nn.Module):
    """Replaces ``nn.Dropout`` in training; its masks depend on seed, layer and step alone.

    The kernel sets ``key`` (a, b) before each step. Each further call within a step draws a new mask.
    """

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate
        self.key: tuple[int, int] = (1, 0)
        self.calls = 0
        self._drops: dict[tuple[int, int, torch.dtype], DropoutMask] = {}

    def begin(self, key: tuple[int, int]) -> None:
        self.key, self.calls = key, 0

    def forward(self, h: Tensor) -> Tensor:
        if not self.training or not self.rate:
            return h
        shape = (len(h), h[0].numel(), h.dtype)
        if shape not in self._drops:
            self._drops[shape] = DropoutMask(1, shape[0], shape[1], h)
        drop = self._drops[shape]
        a, b = self.key
        with torch.no_grad():
            drop.threshold, drop.scale = dropout_threshold(self.rate), 1 / (1 - self.rate)
            drop.draw(a, (b + self.calls * 0x3C6EF372 + 2**31) % 2**32 - 2**31)
        self.calls += 1
        return h * drop.mask.clone().view_as(h)


def replace_dropout(module: nn.Module) -> list[HashDropout]:
    """Replace every ``nn.Dropout`` by a HashDropout; return these in the order of ``modules()``."""
    exchanged = []
    for parent in list(module.modules()):
        for name, child in list(parent.named_children()):
            if type(child) is nn.Dropout:
                ours = HashDropout(child.p)
                setattr(parent, name, ours)
                exchanged.append(ours)
    return exchanged


def construct_module(net: Callable[[], nn.Module], seed: int) -> nn.Module:
    """Call a class or function that returns a network, with torch's random state derived from the seed."""
    with fork_rng(generator(seed, "init").initial_seed()):
        hint = _("It must work without arguments; wrap it in a function that gives them.")
        if isinstance(net, partial) and net.keywords:
            given = ", ".join(f"{name}={value!r}" for name, value in net.keywords.items())
            hint = _("It was given {arguments}: leave out what it can't work with.").format(arguments=given)
        with own_call(NET_FAILS.of_cause(hint=hint)):
            made = net()
    if not isinstance(made, nn.Module):
        raise NET_KIND(kind=type(made).__name__)
    return made


def module_copy(module: nn.Module) -> nn.Module:
    """A deep copy that shares no memory. Tensors that forward passes left in attributes lose their graph.

    Raises:
        TreinoError: the module holds an object that can't be copied.
    """
    buffers = [t for m in module.modules() for t in (*vars(m).values(), *m.buffers(recurse=False))]
    memo = {id(t): _numbers(t) for t in buffers if isinstance(t, Tensor) and (not t.is_leaf or is_lazy(t))}
    with own_call(NET_COPY.of_cause()):
        twin = copy.deepcopy(module, memo)
        for parameter, other in zip(module.parameters(), twin.parameters(), strict=True):
            for hook in gradient_hooks(parameter):  # deepcopy doesn't copy hooks
                other.register_hook(hook)
    return twin


def _numbers(t: Tensor) -> Tensor:
    """A copy of a tensor that deepcopy refuses: a non-leaf (without its graph), or a lazy layer's buffer."""
    if is_lazy(t):
        return nn.UninitializedBuffer(device=t.device, dtype=t.dtype)  # type: ignore[call-arg]
    return t.detach().clone()


def evaluated(module: nn.Module, x: Tensor, index: Tensor | None = None) -> Tensor:
    """The outputs of a module in evaluation mode. index: ``[N]``, the rows' numbers for who reads of them.

    Raises:
        TreinoError: it fails on these rows; a number that a table of embeddings lacks is named.
    """
    guarded = partial(own_call, lambda error: NET_EVALUATION(shape=shape_text(module, x), cause=cause(error)))
    try:
        with guarded():
            output: Tensor = module(x.clone() if has_own_code(module) else x)
    except TreinoError as error:
        with _watched(module, []) as entered, suppress(TreinoError), guarded():
            module(x)
        if (beyond := _beyond_table(NET_EVALUATION.rule, entered, module, x, index)) is not None:
            raise beyond from error
        raise
    return output


def has_own_code(module: nn.Module) -> bool:
    """Whether the network has layers beside torch's and treino's, which may write into their rows, draw
    random numbers, or take pictures in one memory format alone, as a ``view`` does."""
    return any(type(m).__module__.partition(".")[0] not in ("torch", "treino") for m in module.modules())


def probe_rows(x: Any, y: Tensor, arrays: Sequence[InputArray] = ()) -> tuple[Tensor, Tensor, Tensor | None]:
    """Copies of two rows for a test, and their places: the rows with the largest and smallest number, at
    which bad indices fail; of several arrays, two rows for each. Rows outside memory have no places."""
    if not isinstance(x, Tensor):
        return *x.two(y), None
    flat = x.reshape(len(x), -1)
    parts = flat.split([array.width for array in arrays] or flat.shape[1], 1)
    index = torch.stack([end // part.shape[1] for part in parts for end in (part.argmax(), part.argmin())])
    return x[index], y[index], index


def with_lazy_layers(module: nn.Module, x: Tensor, seed: int) -> nn.Module:
    """Return the module, its lazy layers initialised by a forward pass with the seed's random state."""
    if any(is_lazy(t) for t in (*module.parameters(), *module.buffers())):
        forward_of(module, x, [], training=False, seed=generator(seed, "lazy").initial_seed())
    return module


def probe_module(
    module: nn.Module,
    x: Tensor,
    y: Tensor,
    outputs: int,
    loss: Loss,
    own: bool,
    index: Tensor | None = None,
) -> list[LayerRow]:
    """The table of layers, recorded in a forward pass on two rows.

    x: ``[2, *item_shape]``. y: targets in the loss's form. own: whether it is a user's module, which is then
    also trained for a step, to find errors in training. index: the rows' numbers. Works on copies.

    Raises:
        TreinoError: a layer whose size doesn't fit, with the right number; no parameters; a wrong output; no
            gradient from the loss to any parameter; a forward pass that replaces a parameter or buffer.
    """
    if own and not any(p.requires_grad for p in module.parameters()):
        if any(True for _p in module.parameters()):
            raise NET_FROZEN(name=type(module).__name__)
        raise NET_NO_PARAMETERS(name=type(module).__name__)
    rows: list[LayerRow] = []
    twin = module_copy(module) if own else module
    out = forward_of(twin, x, rows, training=False, index=index)
    if own:
        before = forms(module)
        _check_output(out, x, outputs, loss)
        check_forms(before, twin)
        twin = module_copy(module)
        out = forward_of(twin, x, [], training=True)
        _check_output(out, x, outputs, loss)
        _backward(twin, loss, out, y)
        check_forms(before, twin)
    return rows


def probe_one_row(module: nn.Module, x: Tensor, rows: int, hint: str) -> None:
    """Test a training step on a batch of one row.

    x: ``[1, *item_shape]``. rows: the number of training rows. hint: the error's hint.

    Raises:
        TreinoError: the network fails on one row, as batch norm does.
    """
    try:
        forward_of(module_copy(module), x, [], training=True)
    except TreinoError as error:
        raise BATCH_OF_ONE(rows=rows, why=cause(error.__cause__ or error), hint=hint) from error


def forward_of(
    module: nn.Module,
    x: Tensor,
    rows: list[LayerRow],
    *,
    training: bool,
    seed: int = 0,
    index: Tensor | None = None,
) -> Tensor:
    """The outputs of a test. rows: gets the table of layers. index: the rows' numbers.

    Raises:
        TreinoError: the network fails on these rows.
    """
    was = module.training
    with _watched(module, rows) as entered, torch.set_grad_enabled(training), fork_rng(seed):
        module.train(training)
        try:
            with own_call(lambda error: _fails(error, entered, module, x, index)):
                out: Tensor = module(x.clone())  # a copy, as some modules write into their input
        finally:
            module.train(was)
    return out


def _backward(module: nn.Module, loss: Loss, out: Tensor, y: Tensor) -> None:
    free = [p for p in module.parameters() if p.requires_grad]
    slopes: tuple[Tensor | None, ...] = ()
    if out.requires_grad:
        try:
            with torch.enable_grad():
                slopes = torch.autograd.grad(loss(out, y), free, allow_unused=True)
        except Exception as error:
            raise NET_BACKWARD(cause=cause(error)) from error
    if all(slope is None for slope in slopes):
        raise NET_DETACHED()


def _check_output(out: object, x: Tensor, outputs: int, loss: Loss) -> None:
    wanted, got = [len(x), outputs], type(out).__name__
    if loss.axes:
        wanted = [len(x), *([outputs] if loss.task == "classification" else []), *loss.axes]
    if isinstance(out, Tensor):
        if list(out.shape) == wanted and out.is_floating_point():
            return
        got = f"{str(out.dtype).removeprefix('torch.')} {list(out.shape)}"
    if loss.axes:
        raise NET_OUTPUT_AXES(rows=len(x), got=got, wanted=wanted)
    raise NET_OUTPUT(rows=len(x), got=got, wanted=wanted, outputs=outputs)


@contextmanager
def _watched(module: nn.Module, rows: list[LayerRow]) -> Iterator[list[tuple[str, nn.Module, Tensor]]]:
    """Within the block, hooks append each leaf module's LayerRow to ``rows``. Yields the list of (name,
    module, input) of leaf modules entered; the last one is where an error occurred."""
    entered: list[tuple[str, nn.Module, Tensor]] = []
    hooks = []
    seen: set[nn.Module] = set()

    def before(name: str, layer: nn.Module, args: tuple) -> None:
        if args and isinstance(args[0], Tensor):
            entered.append((name, layer, args[0]))
            _check_size(name, layer, args[0])

    def after(name: str, layer: nn.Module, args: tuple, out: object) -> None:
        if args and isinstance(args[0], Tensor) and isinstance(out, Tensor):
            count = 0 if layer in seen else sum(p.numel() for p in layer.parameters())
            seen.add(layer)
            rows.append((name, type(layer).__name__, _size(args[0]), _size(out), count))

    for name, layer in module.named_modules():
        if not list(layer.children()):
            hooks.append(layer.register_forward_pre_hook(partial(before, name)))
            hooks.append(layer.register_forward_hook(partial(after, name)))
    try:
        yield entered
    finally:
        for hook in hooks:
            hook.remove()


def _size(t: Tensor) -> str:
    return " × ".join(str(s) for s in t.shape[1:]) or "1"


# (layer types, attribute, index of the input's axis whose size it must equal)
_EXPECTS: list[tuple[tuple[type[nn.Module], ...], str, int]] = [
    ((nn.Linear, nn.Bilinear), "in_features", -1),
    ((nn.Conv1d, nn.Conv2d, nn.Conv3d), "in_channels", 1),
    ((nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d), "num_features", 1),
]


def _check_size(name: str, layer: nn.Module, x: Tensor) -> None:
    for kinds, attribute, axis in _EXPECTS:
        if not isinstance(layer, kinds) or isinstance(layer, nn.modules.lazy.LazyModuleMixin) or x.dim() < 2:
            continue
        expected, got, kind = int(getattr(layer, attribute)), x.shape[axis], type(layer).__name__
        if got != expected:
            image = isinstance(layer, nn.Linear) and x.dim() > 2 and x[0].numel() == expected
            raise NET_SIZE(
                name=name or kind,
                kind=kind,
                attribute=attribute,
                expected=expected,
                got=got,
                shape=list(x.shape),
                hint=_("Flatten first: x = x.flatten(1).")
                if image
                else _("Write {kind}({got}, ...) there.").format(kind=kind, got=got),
            )


def shape_text(module: nn.Module, x: Tensor) -> str:
    """The shape of rows, or of each array that they hold, as the network gets them."""
    unpacking = unpacking_of(module)
    if unpacking is None or not unpacking.apart:
        return str(list(x.shape))
    given = zip(unpacking.arrays, unpacking.arguments(x), strict=True)
    return ", ".join(f"{array.name} {list(argument.shape)}".lstrip() for array, argument in given)


def _fails(
    error: BaseException,
    entered: list[tuple[str, nn.Module, Tensor]],
    module: nn.Module,
    x: Tensor,
    index: Tensor | None,
) -> TreinoError:
    where = (
        _("in or after layer {name} ({kind}), which was given the shape {shape}").format(
            name=entered[-1][0] or type(entered[-1][1]).__name__,
            kind=type(entered[-1][1]).__name__,
            shape=list(entered[-1][2].shape),
        )
        if entered
        else _("before its first layer")
    )
    if (beyond := _beyond_table("net_forward", entered, module, x, index)) is not None:
        return beyond
    shape, why = shape_text(module, x), cause(error)
    if shape != str(list(x.shape)):
        text = _("The network fails on rows of the shapes {shape}, {where}: {cause}")
        hint = _("Its forward is given one array for each argument, with so many rows.")
    else:
        text = _("The network fails on two rows of shape {shape}, {where}: {cause}")
        hint = _("Each row that it is given has the shape {shape}.").format(shape=list(x.shape[1:]))
    if entered and isinstance(entered[-1][1], nn.Embedding) and entered[-1][2].is_floating_point():
        hint = _(
            "An Embedding takes whole numbers, and those of a table arrive as floats: name them as forward's "
            "argument, ({'tokens': X.astype('int64')}, y)."
        )
    return TreinoError("net_forward", text.format(shape=shape, where=where, cause=why), hint)


def _beyond_table(
    rule: str,
    entered: list[tuple[str, nn.Module, Tensor]],
    module: nn.Module,
    x: Tensor,
    index: Tensor | None,
) -> TreinoError | None:
    """What is said of a number that the table of the layer entered last lacks; None if it lacks none.

    x: what the network was given. index: the rows' numbers.
    """
    if not entered or not isinstance(entered[-1][1], nn.Embedding | nn.EmbeddingBag):
        return None
    name, layer, given = entered[-1]
    size = int(layer.num_embeddings)  # type: ignore[arg-type]
    beyond = given[(given < 0) | (given >= size)]
    if given.is_floating_point() or not len(beyond):
        return None
    number, kind = int(beyond[0]), type(layer).__name__
    place = _place_of(number, given, module, x, index)
    return TOKEN_RANGE.named(rule)(place=place, number=number, name=name or kind, kind=kind, last=size - 1)


def _place_of(number: int, given: Tensor, module: nn.Module, x: Tensor, index: Tensor | None) -> str:
    """Where a number that a layer was given stands in the rows, in words."""
    unpacking = unpacking_of(module)
    arrays = [("x", x)]
    if unpacking is not None:
        names = [array.name or "x" for array in unpacking.arrays]
        arrays = [*zip(names, unpacking.arguments(x), strict=True)]
    same = [pair for pair in arrays if torch.equal(pair[1].flatten(), given.flatten())] or arrays
    found = [(name, at) for name, array in same if len(at := (array == number).nonzero())]
    if len(found) != 1 or index is None:  # the network makes such numbers itself
        return _("Some row")
    (name, at) = found[0]
    row, *column = at[0].tolist()
    column_text = f"{name}[{','.join(map(str, column))}]" if column else name
    return _("Row {row}, {column},").format(row=int(index[row]), column=column_text)
