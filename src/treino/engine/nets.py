"""The networks that treino describes: each becomes an ``nn.Module`` once the data's sizes are known."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from itertools import pairwise, zip_longest
from math import prod
from typing import Any, NamedTuple

from torch import Tensor, nn

from treino.base.errors import Refusal, TreinoError, nearest
from treino.base.words import _, setting
from treino.engine.activations import ACTIVATIONS
from treino.engine.hyperparameters import checked_numbers, whole
from treino.settings.network_settings import OF_CNN
from treino.settings.spec import Settings, read_settings

CNN_ROWS = Refusal(
    "A convolutional network learns from pictures, and a row here has the shape {shape}.",
    "Use [[net=mlp]], or leave it out; pictures are [rows, channels, height, width].",
)
CNN_CHANNELS_LAST = Refusal(
    "The pictures have the shape {shape}: their channels are the last axis.",
    "Put them first: x.transpose(0, 3, 1, 2) of an array, x.permute(0, 3, 1, 2) of a tensor.",
)
CHANNELS_EMPTY = Refusal(
    "A convolutional network without channels can't be built.",
    "Give the channels of each stage, e.g. 16, 32.",
)
NORMS_TWO = Refusal("{a} and {b} both say how channels are normalised.", "Give one of them.")
GROUP_NORM_RANGE = Refusal(
    "{n} channels can't be divided into {groups} groups.",
    "Use a number of groups that divides the channels of every stage.",
)


@dataclass(frozen=True)
class MLP:
    """A multi-layer perceptron: Linear, activation, dropout for every hidden layer, then Linear.

    dropout: the share of hidden units dropped in training; a number, or one per member.
    batch_norm: normalise before each activation (Ioffe & Szegedy 2015).
    gates: an update moves the learned factors of a table's columns this many times as far as a weight (see
    ``treino.engine.gates``); 0: no gates. plain: for each member, which of its gates are closed, as in
    ``Gates.closed``.
    """

    hidden: tuple[int, ...]
    activation: str = "relu"
    dropout: float | tuple[float, ...] = 0.0
    batch_norm: bool = False
    gates: float = 0.0
    plain: tuple[int, ...] = ()

    @property
    def drops(self) -> bool:
        """Whether any member drops units."""
        return _any_dropout(self.dropout)

    def parameter_shapes(self, shape: tuple[int, ...], outputs: int) -> list[tuple[int, ...]]:
        """The shapes of the module's parameters, without gates. shape: of an item."""
        shapes = _linear((prod(shape), *self.hidden), outputs)
        norms = [s for units in self.hidden for s in ((units,), (units,)) if self.batch_norm]
        return shapes + norms

    def module(
        self, inputs: int | tuple[int, ...], outputs: int, dropout: float | None = None
    ) -> nn.Sequential:
        """An equivalent plain module for flat rows, initialised by torch. inputs: their number, or the shape
        of an item. dropout: the rate to use if members' rates differ."""
        inputs = inputs if isinstance(inputs, int) else prod(inputs)
        rate = _module_dropout(self.dropout, dropout)
        layers: list[nn.Module] = []
        for units_in, units in zip((inputs, *self.hidden), self.hidden, strict=False):
            layers.append(nn.Linear(units_in, units))
            if self.batch_norm:
                layers.append(nn.BatchNorm1d(units))
            layers.append(ACTIVATIONS[self.activation].module())
            if self.drops:
                layers.append(nn.Dropout(rate))
        return nn.Sequential(*layers, nn.Linear((inputs, *self.hidden)[-1], outputs))


# ---- convolutional networks

KERNELS = (1, 3, 5, 7)
POOLS = ("max", "average", "none")
LARGEST_STRIDE = 4
LAST_AXIS = (1, 3, 4)  # channels of pictures in other libraries' order


class Convolution(NamedTuple):
    """A convolution with fixed sizes, and the layers between it and the next one.

    Its order: convolution, group or batch norm, ``skip``, activation, pool. skip: the picture that the
    previous convolution got is added (He et al. 2015, a residual block). out_height, out_width: those of
    the convolution; pool: ``max`` or ``average`` over squares of two by two, which drops an odd last row or
    column.
    """

    inputs: int
    height: int
    width: int
    outputs: int
    kernel: int
    stride: int
    padding: int
    out_height: int
    out_width: int
    skip: bool
    pool: str

    @property
    def pooled(self) -> tuple[int, int]:
        """Height and width of the next convolution's input."""
        times = 1 if self.pool == "none" else 2
        return self.out_height // times, self.out_width // times


class Residual(nn.Sequential):
    """Layers whose output is added to their input."""

    def forward(self, x: Tensor) -> Tensor:
        changed: Tensor = super().forward(x)
        return x + changed


@dataclass(frozen=True)
class CNN:
    """A convolutional network for pictures: stages of convolutions, then linear layers.

    A stage is a convolution with ``channels`` outputs, a norm if there is one, the activation, ``blocks``
    residual blocks of two convolutions each, and a pool. channels, kernel, stride, padding, pool: a value for
    each stage. head: the input of the linear layers: all numbers (``flatten``), or the mean of each channel
    (``average``). hidden: units of the linear layers before the last. group_norm: groups of channels that are
    normalised together (Wu & He 2018); 0: no group norm. dropout: before every linear layer; a number, or
    one per member.
    """

    channels: tuple[int, ...]
    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    pool: tuple[str, ...]
    head: str = "flatten"
    hidden: tuple[int, ...] = ()
    blocks: int = 0
    activation: str = "relu"
    dropout: float | tuple[float, ...] = 0.0
    group_norm: int = 0
    batch_norm: bool = False

    @property
    def drops(self) -> bool:
        """Whether any member drops units."""
        return _any_dropout(self.dropout)

    def convolutions(self, shape: tuple[int, ...]) -> list[Convolution]:
        """All convolutions, for pictures ``(channels, height, width)``.

        Raises:
            TreinoError: the pictures become smaller than a kernel or a pool.
        """
        inputs, height, width = shape
        layers: list[Convolution] = []
        for stage, (outputs, kernel, stride, padding, pool) in enumerate(
            zip(self.channels, self.kernel, self.stride, self.padding, self.pool, strict=True)
        ):
            plan = [(kernel, stride, padding, False)]
            plan += [
                (kernel, 1, kernel // 2, second) for _block in range(self.blocks) for second in (False, True)
            ]
            for place, (k, s, p, skip) in enumerate(plan):
                tall, wide = (
                    (size + 2 * p - k) // s + 1 if size + 2 * p >= k else 0 for size in (height, width)
                )
                last = place == len(plan) - 1
                if min(tall, wide) < (2 if last and pool != "none" else 1):
                    raise _too_small(stage, (height, width), k, pool if last else "none")
                layers.append(
                    Convolution(
                        inputs, height, width, outputs, k, s, p, tall, wide, skip, pool if last else "none"
                    )
                )
                inputs, (height, width) = outputs, layers[-1].pooled
        return layers

    def features(self, shape: tuple[int, ...]) -> int:
        """The number of inputs of the first linear layer."""
        last = self.convolutions(shape)[-1]
        return last.outputs * (1 if self.head == "average" else last.pooled[0] * last.pooled[1])

    def parameter_shapes(self, shape: tuple[int, ...], outputs: int) -> list[tuple[int, ...]]:
        """The shapes of the module's parameters."""
        shapes: list[tuple[int, ...]] = []
        for c in self.convolutions(shape):
            shapes += [(c.outputs, c.inputs, c.kernel, c.kernel), (c.outputs,)]
            shapes += [(c.outputs,), (c.outputs,)] if self.group_norm or self.batch_norm else []
        return shapes + _linear((self.features(shape), *self.hidden), outputs)

    def module(self, shape: tuple[int, ...], outputs: int, dropout: float | None = None) -> nn.Sequential:
        """An equivalent plain module for pictures ``[B, channels, height, width]``, initialised by torch.
        dropout: the rate to use if members' rates differ."""
        rate = _module_dropout(self.dropout, dropout)
        layers: list[nn.Module] = []
        before: list[nn.Module] = []  # the first half of a residual block
        act = ACTIVATIONS[self.activation].module
        planned = self.convolutions(shape)
        for number, c in enumerate(planned):
            here: list[nn.Module] = [nn.Conv2d(c.inputs, c.outputs, c.kernel, c.stride, c.padding)]
            if self.group_norm:
                here.append(nn.GroupNorm(self.group_norm, c.outputs))
            if self.batch_norm:
                here.append(nn.BatchNorm2d(c.outputs))
            if number + 1 < len(planned) and planned[number + 1].skip:
                before = [*here, act()]
                continue
            layers += [Residual(*before, *here)] if c.skip else here
            layers.append(act())
            if c.pool != "none":
                layers.append(nn.MaxPool2d(2) if c.pool == "max" else nn.AvgPool2d(2))
        if self.head == "average":
            layers.append(nn.AdaptiveAvgPool2d(1))
        layers.append(nn.Flatten())
        units_in = self.features(shape)
        for number, units in enumerate((*self.hidden, outputs)):
            if self.drops:
                layers.append(nn.Dropout(rate))
            layers.append(nn.Linear(units_in, units))
            if number < len(self.hidden):
                layers.append(act())
            units_in = units
        return nn.Sequential(*layers)


def _too_small(stage: int, size: tuple[int, int], kernel: int, pool: str) -> TreinoError:
    pictures = f"{size[0]} × {size[1]}"
    message = _(
        "Pictures of {size} are too small for stage {stage}: its kernel is {kernel} and its pool {pool}."
    )
    return TreinoError(
        "cnn_size",
        message.format(size=pictures, stage=stage + 1, kernel=kernel, pool=pool),
        _("Use fewer stages, [[pool=none]] in some of them, or larger pictures."),
    )


def _any_dropout(rate: float | tuple[float, ...]) -> bool:
    """Whether any member drops units. rate: one for all members, or one per member."""
    return any(rate) if isinstance(rate, tuple) else rate > 0


def _module_dropout(rate: float | tuple[float, ...], instead: float | None) -> float:
    """The rate of a module's Dropout layers. instead: the rate to use if members' rates differ."""
    return instead if instead is not None else rate if isinstance(rate, float) else 0.0


def _linear(units: Sequence[int], outputs: int) -> list[tuple[int, ...]]:
    """The shapes of the weights and biases of linear layers. units: the number of inputs of each layer."""
    return [s for a, b in pairwise((*units, outputs)) for s in ((b, a), (b,))]


Net = MLP | CNN
"""A network that treino describes and builds itself."""


def input_shape(net: object, item_shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape in which a network gets one item: flat for an MLP, a picture ``(channels, height, width)``
    for a convolutional network, unchanged for a user's own.

    Raises:
        TreinoError: the network is convolutional, and the items are no pictures.
    """
    if isinstance(net, MLP):
        return (prod(item_shape),)
    return picture_shape(item_shape) if isinstance(net, CNN) else item_shape


def picture_shape(item_shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape ``(channels, height, width)`` of pictures; ``item_shape`` may lack the channels.

    Raises:
        TreinoError: the items are no pictures, or their channels are the last axis.
    """
    shape = (1, *item_shape) if len(item_shape) == 2 else tuple(item_shape)
    if len(shape) != 3:
        raise CNN_ROWS(shape=list(item_shape))
    if _channels_last(shape):
        raise CNN_CHANNELS_LAST(shape=list(shape))
    return shape


SMALLEST_PICTURE = 8  # pixels


def is_picture(item_shape: tuple[int, ...]) -> bool:
    """Whether rows of this shape are pictures that are large enough for a convolutional network."""
    sides = item_shape[-2:] if len(item_shape) in (2, 3) else ()
    channels_last = len(item_shape) == 3 and _channels_last(item_shape)
    return len(sides) == 2 and min(sides) >= SMALLEST_PICTURE and not channels_last


def _channels_last(shape: tuple[int, ...]) -> bool:
    return min(shape[:2]) > max(LAST_AXIS) and shape[2] in LAST_AXIS


def multiplications(net: Net, shape: tuple[int, ...], outputs: int) -> int:
    """The number of multiplications in one item's forward pass. shape: its shape, from ``input_shape``."""
    places = [c.out_height * c.out_width for c in net.convolutions(shape)] if isinstance(net, CNN) else []
    weights = [prod(s) for s in net.parameter_shapes(shape, outputs) if len(s) > 1]
    return sum(a * b for a, b in zip_longest(weights, places, fillvalue=1))


def layers_of(net: Net) -> dict[str, Any]:
    """The settings from which ``described`` makes this network; what all stages share is given once."""
    values = {f.name: getattr(net, f.name) for f in fields(net) if f.name != "plain"}
    if isinstance(net, MLP):
        return values
    for name in ("kernel", "stride", "padding", "pool"):
        values[name] = values[name][:1] if len(set(values[name])) == 1 else values[name]
    same = net.padding == tuple(kernel // 2 for kernel in net.kernel)
    return {"net": "cnn"} | values | ({"padding": "same"} if same else {})


def described(
    s: Settings, hidden: Sequence[int], dropout: float | Sequence[float], plain: Sequence[int] = ()
) -> Net:
    """The network that settings describe. hidden: the hidden layers of an MLP whose settings leave them open.

    Raises:
        TreinoError: as ``mlp`` and ``cnn``.
    """
    activation = s.activation or "relu"
    if s.net != "cnn":
        return mlp(
            *(hidden if s.hidden is None else s.hidden),
            activation=activation,
            dropout=dropout,
            batch_norm=s.batch_norm,
            gates=s.gates,
            plain=plain,
        )
    of_cnn = {name: getattr(s, name) for name in OF_CNN if getattr(s, name) is not None}
    layers: dict[str, Any] = {"hidden": s.hidden or (), "dropout": dropout, "batch_norm": s.batch_norm}
    return cnn(*of_cnn.pop("channels"), activation=activation, **layers, **of_cnn)


# ---- descriptions from a user's values


def mlp(
    *hidden: int,
    activation: str = "relu",
    dropout: float | Sequence[float] = 0.0,
    batch_norm: bool = False,
    gates: float = 0.0,
    plain: Sequence[int] = (),
) -> MLP:
    """Describe a multi-layer perceptron: ``mlp(64, 32)`` has two hidden layers, ``mlp()`` is linear.

    Raises:
        TreinoError: a layer without units, more than 500 layers, an unknown activation, a dropout rate
            outside [0, 1), a rate of gates below 0.
    """
    ACTIVATIONS.key("activation", activation)
    s = read_settings({"hidden": hidden, "batch_norm": batch_norm, "gates": gates})
    return MLP(s.hidden or (), activation, _rates(dropout), s.batch_norm, s.gates, tuple(plain))


def cnn(
    *channels: int,
    hidden: Sequence[int] = (),
    kernel: int | Sequence[int] = 3,
    stride: int | Sequence[int] = 1,
    padding: str | int | Sequence[int] = "same",
    pool: str | Sequence[str] = "max",
    head: str = "flatten",
    blocks: int = 0,
    activation: str = "relu",
    dropout: float | Sequence[float] = 0.0,
    group_norm: int = 0,
    batch_norm: bool = False,
) -> CNN:
    """Describe a convolutional network: ``cnn(16, 32, hidden=[64])`` has two convolutions with pools, then
    64 units. See ``CNN``; kernel, stride, padding and pool are one for all stages, or one for each.

    padding: zeros on each side; ``same``: half the kernel, so that a stride of 1 keeps the size.

    Raises:
        TreinoError: a value out of range, an unknown name, a list with another length than ``channels``,
            group norm with batch norm or with channels that its groups don't divide.
    """
    if not channels:
        raise CHANNELS_EMPTY()
    ACTIVATIONS.key("activation", activation)
    own = {"head": head, "blocks": blocks, "group_norm": group_norm, "batch_norm": batch_norm}
    s = read_settings({"net": "cnn", "channels": channels, "hidden": hidden} | own)
    sizes, groups = s.channels or (), s.group_norm or 0
    stages = len(sizes)
    kernels = tuple(_one_of("kernel", k, KERNELS) for k in _each("kernel", kernel, stages))
    strides = tuple(whole("stride", s, 1, LARGEST_STRIDE) for s in _each("stride", stride, stages))
    pads = tuple(
        k // 2 if p == "same" else whole("padding", p, 0, k - 1)
        for p, k in zip(_each("padding", padding, stages), kernels, strict=True)
    )
    pools = tuple(_one_of("pool", p, POOLS) for p in _each("pool", pool, stages))
    if groups and s.batch_norm:
        raise NORMS_TWO(a=setting("group_norm", groups), b=setting("batch_norm"))
    for n in sizes if groups else ():
        if n % groups:
            raise GROUP_NORM_RANGE(n=n, groups=groups)
    return CNN(
        sizes,
        kernels,
        strides,
        pads,
        pools,
        s.head or "flatten",
        s.hidden or (),
        s.blocks or 0,
        activation,
        _rates(dropout),
        groups,
        s.batch_norm,
    )


def _rates(dropout: float | Sequence[float]) -> float | tuple[float, ...]:
    """The dropout rate, or one per member."""
    rates = dropout.tolist() if hasattr(dropout, "tolist") else dropout
    if isinstance(rates, str) or not isinstance(rates, Iterable):
        return checked_numbers("dropout", rates, 1)[0]
    return tuple(checked_numbers("dropout", rate, 1)[0] for rate in rates)


def _each(name: str, value: Any, stages: int) -> list[Any]:
    """A list of one value for each stage, made from one value for all or a list."""
    several = isinstance(value, Sequence) and not isinstance(value, str)
    values = list(value) if several else [value]
    if len(values) not in (1, stages):
        raise TreinoError(
            f"{name}_count",
            _("{name} has {n} values, and the number of stages is {stages}.").format(
                name=setting(name), n=len(values), stages=stages
            ),
            _("Give one, or one for each number of [[channels]]."),
        )
    return values * stages if len(values) == 1 else values


def _one_of(name: str, value: Any, names: Sequence[Any]) -> Any:
    if isinstance(value, bool) or value not in names:
        options = ", ".join(map(str, names))
        raise TreinoError(
            f"{name}_choice",
            _("{name} can't be {value!r}: it is one of {options}.").format(
                name=setting(name), value=value, options=options
            ),
            nearest(str(value), list(map(str, names))),
        )
    return value
