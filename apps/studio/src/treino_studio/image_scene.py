"""What a page shows of a network that sees pictures: one picture in every layer, its worst mistakes, and
examples of each class."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from treino.base.errors import Refusal
from treino.data import Data, Rows
from treino.engine import probabilities, torch_threads
from treino.inspection import LayerCall, Split, answer_counts, layers_as_they_run, predicted_classes
from treino.inspection.outputs import outputs
from treino_studio.run_state import finite

PICTURE_MISSING = Refusal(
    "There is no picture {n} among these rows: there are {count}.", "Pictures are counted from 0."
)
PICTURE_RUN = Refusal(
    "The rows of this run are no grey or colour pictures of at most 256 × 256 pixels.",
    "Choose one of its rows instead.",
)
PICTURE_LENGTH = Refusal(
    "There are {n} bytes of pixels, and a picture of this run has {count}.",
    "Send channels × height × width bytes: {shape}.",
)
PICTURE_BASE64 = Refusal("The pixels are no base64.", "Send each pixel as one byte, in base64.")

MISTAKES = 12
MOST_CLASSES = 40  # in a confusion matrix
MAP_SIDE = 32  # maximum height and width of a channel's small picture, and of a filter
UNIT_SIDE = 128  # maximum side of the channel that is shown at full size
PICTURE_SIDE = 128  # maximum side of the picture that goes through the network
SMALL_SIDE = 64  # maximum side of a mistake's picture
EDGES = 40  # training pictures whose edges say what an empty picture is
EXAMPLES = 5  # pictures of each class
EXAMPLE_CLASSES = 20
EXAMPLE_BYTES = 1 << 18  # maximum size of all examples
LARGEST_PICTURE = 3 * 256 * 256  # pixel values that a page may send

Part = tuple[str, NDArray[Any]]
Pixels = NDArray[np.uint8]


# ---- pixels


@dataclass(eq=False)
class PixelScale:
    """Converts prepared rows of a data set to pixels from 0 to 255 and back. low, high: data values of these
    two; 0 and 255 for pixels of files, else the smallest and the largest value of some training rows."""

    data: Data
    low: float = 0.0
    high: float = 255.0

    @classmethod
    def of(cls, data: Data, train: Rows) -> "PixelScale":
        if data.preparation.divisor == 255:
            return cls(data)
        raw_ND = data.preparation.inverse(train.x[:256])
        return cls(data, float(raw_ND.min()), float(raw_ND.max()))

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        height, width = self.data.item_shape[-2:]
        return height, width

    @property
    def channels(self) -> int:
        return self.data.inputs // (self.size[0] * self.size[1])

    @property
    def document(self) -> dict[str, Any]:
        """What a page must know to draw such a picture."""
        (height, width), can_draw = self.size, may_be_drawn(self.data)
        shape = {"channels": self.channels, "height": height, "width": width, "paper": self.paper}
        return {**shape, "fit": self.data.arguments.fit, "can_draw": can_draw}

    @cached_property
    def paper(self) -> int:
        """The pixel of an empty picture, 0 or 255: what most training pictures have at their edges."""
        x_ND = self.data.train.x[: min(EDGES, len(self.data.train))]
        pixel_NCHW = self.pixels(x_ND, max(self.size))
        edge = np.concatenate([pixel_NCHW[:, :, [0, -1]].ravel(), pixel_NCHW[:, :, :, [0, -1]].ravel()])
        return 255 if np.median(edge) > 127 else 0

    def pixels(self, x_KD: Tensor, side: int) -> Pixels:
        """``[K, C, H, W]``, grey (C = 1) or colour (C = 3); pictures with a side above ``side`` are
        shrunk."""
        raw_KD = self.data.preparation.inverse(x_KD)
        share = (raw_KD - self.low) / max(self.high - self.low, 1e-12)
        pixel_KCHW = shrunk(as_colours(share.reshape(len(x_KD), self.channels, *self.size)), side)
        return np.asarray(np.clip(np.rint(255 * pixel_KCHW), 0, 255), np.uint8)

    def prepared(self, pixel_D: Pixels) -> Tensor:
        """``[1, D]``: the network's input for pixels."""
        of_file = (self.low, self.high) == (0.0, 255.0)
        raw_D = pixel_D if of_file else np.asarray(self.low + pixel_D / 255 * (self.high - self.low))
        return self.data.preparation.transform(raw_D[None])


def as_colours(value_KCHW: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return three channels as they are, and the mean of any other number of channels."""
    return value_KCHW if value_KCHW.shape[1] == 3 else value_KCHW.mean(axis=1, keepdims=True)


def shrunk(value: NDArray[np.floating], side: int) -> NDArray[np.floating]:
    """``[…, H, W]`` with no side above ``side``: each pixel is the mean of those that it replaces."""
    height, width = value.shape[-2:]
    longer = max(height, width)
    if longer <= side:
        return value
    size = max(1, round(height * side / longer)), max(1, round(width * side / longer))
    flat = torch.from_numpy(np.ascontiguousarray(value)).reshape(-1, 1, height, width)
    small = nn.functional.adaptive_avg_pool2d(flat, size)
    return small.reshape(*value.shape[:-2], *size).numpy()


def signed_bytes(value: NDArray[np.floating], axes: tuple[int, ...] | None) -> tuple[Pixels, float]:
    """Values as bytes: 0 becomes 128, and the largest absolute value over ``axes`` (None: of all) 1 or 255;
    and the largest absolute value of all."""
    known = np.nan_to_num(value, nan=0.0, posinf=0.0, neginf=0.0)
    largest = np.abs(known).max(axis=axes, keepdims=True, initial=0.0)
    scaled = 128 + 127 * known / np.where(largest > 0, largest, 1.0)
    return np.round(scaled).astype(np.uint8), float(largest.max(initial=0.0))


# ---- one picture in every layer


@dataclass(frozen=True, eq=False)
class SeenPicture:
    """A picture that goes through the network. x_1D: its prepared pixels. split, place: its row; None for a
    picture that the page has sent."""

    x_1D: Tensor
    split: Split | None = None
    place: int = 0


@dataclass(frozen=True, eq=False)
class DrawnLayer:
    """A layer that is drawn. place: its number among all layers. total: its units, of which ``units_U`` are
    drawn."""

    name: str
    place: int
    total: int
    units_U: NDArray[np.int64]


def picture_of_row(data: Data, split: Split | None, place: int = 0) -> SeenPicture:
    """The picture at a place of a split. split None: the first validation row, else the first training row.

    Raises:
        TreinoError: the split has no such row.
    """
    split = split or ("validation" if len(data.validation) else "train")
    count = len(data.splits[split])
    if place >= count:
        raise PICTURE_MISSING(n=place, count=count)
    return SeenPicture(data.splits[split].x[torch.tensor([place])], split, place)


def drawn_pixels(text: str, data: Data) -> Pixels:
    """``[D]``: the pixels of a picture that a page sends in base64: planes, rows, columns.

    Raises:
        TreinoError: the run's rows are no pictures of one or three channels, or too large; no base64; the
            number of bytes differs from the number of pixels.
    """
    if not may_be_drawn(data):
        raise PICTURE_RUN()
    try:
        raw = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise PICTURE_BASE64() from error
    if len(raw) != data.inputs:
        raise PICTURE_LENGTH(n=len(raw), count=data.inputs, shape=" × ".join(map(str, data.item_shape)))
    return np.frombuffer(raw, np.uint8)


def may_be_drawn(data: Data) -> bool:
    """Whether a page may send pictures to this run."""
    shape = data.item_shape
    if data.kind != "image" or len(shape) not in (2, 3) or data.inputs > LARGEST_PICTURE:
        return False
    return len(shape) == 2 or shape[0] in (1, 3)


def picture_parts(
    net: nn.Module,
    member: nn.Module,
    scale: PixelScale,
    picture: SeenPicture,
    layers: Sequence[DrawnLayer],
    item_shape: Sequence[int] | None,
    unit: tuple[int, int] | None,
) -> tuple[dict[str, Any], list[Part]]:
    """The header entry and the arrays of a picture as each layer sees it. net: answers. member: the network
    whose layers are drawn. unit: (stage, unit) to draw at full size."""
    data = scale.data
    with torch_threads(1), np.errstate(all="ignore"):
        ran, out_1C, _notes = layers_as_they_run(member, picture.x_1D, item_shape, maps=True)
        if member is not net:
            out_1C = outputs(net, picture.x_1D, item_shape=item_shape)
    if data.classes:
        answer = probabilities(out_1C)[0].numpy().astype(np.float32)
    else:
        answer = data.preparation.predictions(out_1C)[0, :1].numpy().astype(np.float32)
    parts: list[Part] = [("picture", scale.pixels(picture.x_1D, PICTURE_SIDE)[0]), ("answer", answer)]
    largest: dict[str, float | None] = {}
    for stage, layer in enumerate(layers, 1):
        call = ran[layer.place] if layer.place < len(ran) else None
        if call is None or (call.name, call.given_NU.shape[1]) != (layer.name, layer.total):
            continue  # the code between the layers treats one row differently from many
        part, most = _seen_by(call, layer.units_U)
        parts.append((f"{'map' if part.ndim == 3 else 'value'}.{stage}", part))
        largest[str(stage)] = finite(most)
        if unit is not None and unit[0] == stage and call.map_NUHW is not None:
            full_UHW = call.map_NUHW[0, unit[1] : unit[1] + 1]
            if len(full_UHW):
                parts.append(("unit", signed_bytes(shrunk(full_UHW, UNIT_SIDE), None)[0][0]))
    entry: dict[str, Any] = {"split": picture.split, "largest": largest}
    if picture.split is not None:
        rows = data.splits[picture.split]
        true = float(rows.y[picture.place].reshape(-1)[0])
        entry |= {
            "place": picture.place,
            "of": len(rows),
            "row": int(rows.index[picture.place]),
            "true": int(true) if data.classes else float(data.preparation.values(true)),
        }
    return entry, parts


def _seen_by(call: LayerCall, units_U: NDArray[np.int64]) -> tuple[NDArray[Any], float]:
    """The units' outputs for the only row: a convolution's maps ``[U, H, W]`` as bytes around 128, else
    numbers ``[U]``; and the largest absolute value."""
    if call.map_NUHW is not None:
        return signed_bytes(shrunk(call.map_NUHW[0, units_U], MAP_SIDE), None)
    value_U = call.given_NU[0, units_U].astype(np.float32)
    return value_U, float(np.abs(np.nan_to_num(value_U, posinf=0.0, neginf=0.0)).max(initial=0.0))


# ---- worst mistakes, and examples


def mistake_parts(data: Data, scale: PixelScale, drawn: Rows, place_N: Tensor, out_NC: Tensor) -> list[Part]:
    """The arrays of the confusion matrix and of the worst mistakes on some rows of a split. place_N: their
    places in the split."""
    true_N = drawn.y.reshape(-1)
    if data.classes:
        p_NC, said_N = probabilities(out_NC), predicted_classes(out_NC, data.threshold)
        wrong = (said_N != true_N).nonzero().flatten()
        sure = p_NC[wrong].gather(1, true_N[wrong, None])[:, 0].nan_to_num()
        worst = wrong[sure.argsort()[:MISTAKES]]
        parts: list[Part] = [
            ("digit.probability", p_NC[worst].numpy()),
            ("digit.true", true_N[worst].numpy().astype(np.uint32)),
        ]
        if len(data.classes) <= MOST_CLASSES:
            count_CC, _unsaid_C = answer_counts(true_N.numpy(), said_N.numpy(), len(data.classes))
            parts.append(("confusion", count_CC.astype(np.uint32)))
    else:
        error_N = (data.preparation.linked(out_NC)[:, 0] - true_N).abs()
        worst = error_N.nan_to_num(-1.0).argsort(descending=True)[:MISTAKES]
        said_K = data.preparation.predictions(out_NC[worst])[:, 0].float()
        true_K = data.preparation.values(true_N[worst]).float()
        parts = [("digit.value", said_K.numpy()), ("digit.true", true_K.numpy())]
    return [
        *parts,
        ("digits", scale.pixels(drawn.x[worst], SMALL_SIDE)),
        ("digit.index", drawn.index[worst].numpy().astype(np.uint32)),
        ("digit.place", place_N[worst].numpy().astype(np.uint32)),
    ]


def examples_of(data: Data, scale: PixelScale, train: Rows) -> dict[str, Any]:
    """The first training pictures of each class, or for a regression, some from the smallest to the largest
    target, and how many rows there are: an entry of the message ``points``."""
    if data.classes:
        y_N = train.y.reshape(-1)
        shown = range(min(len(data.classes), EXAMPLE_CLASSES))
        picked = [(y_N == c).nonzero().flatten()[:EXAMPLES] for c in shown]
        counts = {
            split: torch.bincount(rows.y.reshape(-1), minlength=len(data.classes)).tolist()
            for split, rows in data.splits.items()
            if len(rows)
        }
        groups = [
            {"class": c, "shown": len(picked[c]), "rows": {split: n[c] for split, n in counts.items()}}
            for c in shown
        ]
    else:
        order_N = train.y.reshape(-1).argsort()
        spread = torch.linspace(0, len(train) - 1, min(len(train), 3 * EXAMPLES)).long()
        picked = list(order_N[spread].split(EXAMPLES))
        groups = []
        for rows in picked:
            own = data.preparation.values(train.y[rows].reshape(-1).double())
            groups.append({"true": own.tolist(), "shown": len(rows)})
    channels, count = 3 if scale.channels == 3 else 1, sum(map(len, picked))
    side = min(SMALL_SIDE, int((EXAMPLE_BYTES / max(1, count * channels)) ** 0.5))
    pixel_KCHW = np.concatenate([scale.pixels(train.x[pick_K], side) for pick_K in picked])
    return {
        "groups": groups,
        "more": max(0, len(data.classes) - EXAMPLE_CLASSES),
        "shape": list(pixel_KCHW.shape[1:]),
        "pixels": base64.b64encode(pixel_KCHW.tobytes()).decode(),
    }
