"""Augmentation: changes pictures a little in training, each one by new random numbers in each epoch.

All numbers are hashes of seed, epoch and row, so they depend neither on batches nor on where a training
stopped. ``Augmentation.changes`` draws them and ``augmented`` applies them; the kernel ``lanes`` applies them
in ``lanes/augmentation.hpp``, with the same roundings.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import NamedTuple

import torch
from torch import Tensor

from treino.base.errors import Refusal, TreinoError, nearest
from treino.base.words import N_, _, setting
from treino.engine.rng import mix

AUGMENT_UNKNOWN = Refusal("{a} knows no kind {name!r}.", "{hint}")
AUGMENT_TWICE = Refusal("{a} names {name} twice.", "Name each kind once.")

# ---- the kinds, and the setting that names them


@dataclass(frozen=True)
class Kind:
    """A kind of change. stream: the number of its hash. usual: the default strength, on which saved
    runs rely; None: it depends on the pictures' size. most: the largest strength."""

    stream: int
    usual: float | None
    most: float
    about: str


KINDS = {
    "shift": Kind(
        0, None, 1000, N_("moved by up to so many pixels up or down and left or right; usual: one of 28")
    ),
    "crop": Kind(
        2, 0.2, 0.9, N_("a window at a random place, enlarged; up to this share of the sides is left out")
    ),
    "rotate": Kind(3, 10.0, 180, N_("turned about the middle by up to so many degrees, either way")),
    "brightness": Kind(
        4, 0.2, 10, N_("up to this number added to all pixels or taken from them, in their deviations")
    ),
    "contrast": Kind(
        5, 0.2, 1, N_("the pixels' distance from the picture's mean, larger or smaller by up to this share")
    ),
    "cutout": Kind(
        6, 0.3, 1, N_("a square at a random place set to 0; its side is this share of the smaller one")
    ),
    "mixup": Kind(
        7, 0.2, 10, N_("another training row mixed in, by a share of Beta(a, a) with this number for a")
    ),
}
FLIP = 1  # the stream of flips, which have their own setting
WIDTH_PER_PIXEL = 28  # pictures of this width move by up to one pixel, those of twice the width by up to two


def usual_shift(item_shape: Sequence[int]) -> int:
    """The largest number of pixels by which pictures of this shape are moved; 0 if one pixel is too much."""
    return round(min(item_shape[-2:]) / WIDTH_PER_PIXEL)


def strengths_of(text: str) -> dict[str, float | None]:
    """The kinds that a setting like ``shift,rotate=10`` names, with their strengths; None: the usual one.

    Raises:
        TreinoError: an unknown kind, one that is named twice, or a strength out of range.
    """
    strengths: dict[str, float | None] = {}
    for part in [] if text.strip() == "none" else text.split(","):
        name, _equals, number = (word.strip() for word in part.partition("="))
        if name not in KINDS:
            raise AUGMENT_UNKNOWN(
                a=setting("augment"),
                name=name,
                hint=_("Flips are a setting of their own: [[flip]].")
                if name == "flip"
                else nearest(name, [*KINDS, "none"]),
            )
        if name in strengths:
            raise AUGMENT_TWICE(a=setting("augment", text), name=name)
        strengths[name] = _strength(name, number) if _equals else None
    return strengths


def _strength(name: str, text: str) -> float:
    kind, whole = KINDS[name], name == "shift"
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value <= kind.most or (whole and value % 1):
        message = (
            _("{a}: {name} takes a whole number from 0 to {most:g}.")
            if whole
            else _("{a}: {name} takes a number from 0 to {most:g}.")
        )
        raise TreinoError(
            "augment_range",
            message.format(a=setting("augment", f"{name}={text}"), name=name, most=kind.most),
            _("{name} is: {about}. Use e.g. {example}.").format(
                name=name, about=_(kind.about), example=setting("augment", f"{name}={kind.usual or 1:g}")
            ),
        )
    return int(value) if whole else value


# ---- what is drawn for each row


class Changes(NamedTuple):
    """The changes to the pictures of a batch.

    number_BK: float32, the numbers of ``Change`` in ``lanes/border.hpp``, in its order: six that say where a
    pixel comes from (``resampled``); contrast and brightness; the square's top, left, bottom and right; the
    row's own share in mixup. partner_B: int64, the rows that are mixed in; empty: none.
    """

    number_BK: Tensor
    partner_B: Tensor

    def to(self, device: torch.device) -> "Changes":
        return Changes(self.number_BK.to(device), self.partner_B.to(device))

    def split(self, sizes: Sequence[int]) -> "list[Changes]":
        """Return the changes of each batch, if those of several batches were drawn together."""
        partners = self.partner_B.split(list(sizes)) if len(self.partner_B) else [self.partner_B] * len(sizes)
        return list(map(Changes, self.number_BK.split(list(sizes)), partners))


NUMBERS = 13
SHARES = 1024  # possible shares in mixup, equally likely


@dataclass(frozen=True)
class Augmentation:
    """The strength of each kind; 0: not used. flip: whether every second picture is mirrored, left and
    right."""

    shift: float = 0
    crop: float = 0
    rotate: float = 0
    brightness: float = 0
    contrast: float = 0
    cutout: float = 0
    mixup: float = 0
    flip: bool = False

    @classmethod
    def of(cls, text: str | None, flip: bool | None, item_shape: Sequence[int]) -> "Augmentation":
        """Read the settings ``augment`` and ``flip``, for pictures of this shape."""
        usual = {name: kind.usual for name, kind in KINDS.items()} | {
            "shift": max(1, usual_shift(item_shape))
        }
        named = strengths_of(text or "none")
        values = {name: usual[name] if value is None else value for name, value in named.items()}
        return cls(**values, flip=bool(flip))  # type: ignore[arg-type]

    def __bool__(self) -> bool:
        return any(vars(self).values())  # a tenth of the time of asdict, and asked at each chunk

    @property
    def identity(self) -> list[float]:
        """All fields, as stored in a saved state; [] if pictures aren't changed."""
        return list(map(float, asdict(self).values())) if self else []

    def text(self, item_shape: Sequence[int]) -> str:
        """The setting ``augment`` with its strengths, except a shift that is usual for this shape."""
        parts = [
            name if name == "shift" and value == max(1, usual_shift(item_shape)) else f"{name}={value:g}"
            for name, value in asdict(self).items()
            if value and name != "flip"
        ]
        return ",".join(parts) or "none"

    def changes(self, seed: int, epoch: int, row_B: Tensor, rows: int, shape: Sequence[int]) -> Changes:
        """Draw the changes of these pictures in one epoch. rows: the number of rows that may be mixed in."""
        height, width = shape[-2:]
        hash_B = mix(mix(mix(torch.tensor(seed)) + epoch) + row_B)
        number_BK, partner_B = torch.zeros(len(row_B), NUMBERS), row_B[:0]
        for k, column in enumerate(self._places(hash_B, height, width)):
            number_BK[:, k] = column
        number_BK[:, 6] = 1.0
        if self.contrast:
            number_BK[:, 6] = 1 + self.contrast * (2 * uniform(hash_B, KINDS["contrast"].stream)[0] - 1)
        if self.brightness:
            number_BK[:, 7] = self.brightness * (2 * uniform(hash_B, KINDS["brightness"].stream)[0] - 1)
        if self.cutout:
            side = max(1, round(self.cutout * min(height, width)))
            drawn_4B = uniform(hash_B, KINDS["cutout"].stream)
            for k, (u_B, size) in enumerate(zip(drawn_4B, (height, width), strict=False)):
                first_B = (u_B * size).floor() - side // 2
                number_BK[:, 8 + k] = first_B.clamp(min=0)
                number_BK[:, 10 + k] = (first_B + side).clamp(max=size)
        number_BK[:, 12] = 1.0
        if self.mixup:
            drawn_B = mix(hash_B + KINDS["mixup"].stream)
            partner_B = whole_below(rows, drawn_B)
            number_BK[:, 12] = mixup_shares(self.mixup)[whole_below(SHARES, drawn_B >> 32)]
        return Changes(number_BK, partner_B)

    def _places(self, hash_B: Tensor, height: int, width: int) -> "list[Tensor | float]":
        """The six numbers of ``resampled`` for each picture."""
        moves: dict[str, Tensor] = {}
        if self.shift:
            most = int(self.shift)
            for name, drawn_B in (("down", hash_B >> 32), ("right", hash_B)):
                moves[name] = whole_below(2 * most + 1, drawn_B) - most
        if self.flip:
            moves["sign"] = 1 - 2 * (uniform(hash_B, FLIP)[0] * 2).floor()
        if self.crop:
            share_B, y_B, x_B, _rest = uniform(hash_B, KINDS["crop"].stream)
            room_B = self.crop * share_B
            moves["scale"] = 1 - room_B
            moves["top"], moves["left"] = room_B * (height - 1) * y_B, room_B * (width - 1) * x_B
        if self.rotate:
            angle_B = math.radians(self.rotate) * (2 * uniform(hash_B, KINDS["rotate"].stream)[0] - 1)
            moves |= {"cosine": coarse(angle_B.cos()), "sine": coarse(angle_B.sin())}
        return pixel_places(height, width, **moves)


NONE = Augmentation()


def whole_below(n: int, hash_B: Tensor) -> Tensor:
    """Return a whole number below n for each row, drawn by the last 32 bits of its hash."""
    return (hash_B & 0xFFFFFFFF) * n >> 32


def uniform(hash_B: Tensor, stream: int) -> Tensor:
    """Return float64 ``[4, B]`` between 0 and 1: middles of 2¹⁶ equal parts, drawn by the rows' hashes."""
    part_4B = mix(hash_B + stream) >> torch.tensor([[0], [16], [32], [48]]) & 0xFFFF
    return (part_4B.double() + 0.5) / 2**16


def coarse(x: Tensor) -> Tensor:
    """``x`` rounded to 20 binary places, to which cosines and sines of all C libraries agree."""
    return (x * 2**20).round() / 2**20


@cache
def mixup_shares(alpha: float) -> Tensor:
    """float64 ``[SHARES]``: quantiles of Beta(alpha + 1, alpha), rounded to 16 binary places.

    With mixed targets the share is of Beta(alpha, alpha) (Zhang et al. 2017). A share of Beta(alpha + 1,
    alpha) with the row's own target has the same expected gradient if the loss is linear in the
    target (Huszár, "mixup: Data-dependent data augmentation", 2017).
    """
    from scipy.special import betaincinv  # imported here, since it takes long

    share = betaincinv(alpha + 1, alpha, (torch.arange(SHARES, dtype=torch.float64).numpy() + 0.5) / SHARES)
    return (torch.from_numpy(share) * 2**16).round() / 2**16


# ---- pictures, changed


def augmented(x_BCHW: Tensor, partner_BCHW: Tensor, changes: Changes) -> Tensor:
    """Return the changed pictures: mixed with their partners (if there are any), resampled, then contrast and
    brightness changed, then the square cut out."""
    number_KB = changes.number_BK.to(x_BCHW.dtype).T
    if len(partner_BCHW):
        share_B = number_KB[12].view(-1, 1, 1, 1)
        x_BCHW = share_B * x_BCHW + (1 - share_B) * partner_BCHW
    x_BCHW = resampled(x_BCHW, number_KB[:6])
    contrast_B, brightness_B = number_KB[6:8].reshape(2, -1, 1, 1, 1)
    if bool((contrast_B != 1).any() or brightness_B.any()):
        mean_B = x_BCHW.mean((1, 2, 3), keepdim=True)
        x_BCHW = (x_BCHW - mean_B) * contrast_B + (mean_B + brightness_B)
    return cut_out(x_BCHW, number_KB[8:12]) if bool(number_KB[10].any()) else x_BCHW


def pixel_places(
    height: int,
    width: int,
    down: Tensor | float = 0,
    right: Tensor | float = 0,
    sign: Tensor | float = 1,
    scale: Tensor | float = 1,
    top: Tensor | float = 0,
    left: Tensor | float = 0,
    cosine: Tensor | float = 1,
    sine: Tensor | float = 0,
) -> list[Tensor | float]:
    """Return the six numbers that ``resampled`` takes, for pictures that are rotated about the middle, then
    cropped to a window (scale, top, left) that is enlarged, mirrored where the sign is -1, and moved."""
    middle_y, middle_x = (height - 1) / 2, (width - 1) / 2
    y = top - scale * down - middle_y
    x = left + scale * ((width - 1) * (1 - sign) / 2 - sign * right) - middle_x
    of_y = cosine * scale, -sine * scale * sign, cosine * y - sine * x + middle_y
    return [*of_y, sine * scale, cosine * scale * sign, sine * y + cosine * x + middle_x]


def resampled(x_BCHW: Tensor, place_6B: Tensor) -> Tensor:
    """Move each picture's pixels: the new pixel (y, x) is the old one at (a y + b x + c, d y + e x + f).

    place_6B: a to f of each picture. Between pixels the value is interpolated linearly; beyond the edge it is
    the edge's nearest pixel.
    """
    height, width = x_BCHW.shape[-2:]
    a, b, c, d, e, f = place_6B.view(6, -1, 1, 1).unbind()
    y = torch.arange(height, dtype=x_BCHW.dtype, device=x_BCHW.device)[:, None]
    x = torch.arange(width, dtype=x_BCHW.dtype, device=x_BCHW.device)
    y_BHW, x_BHW = ((a * y + c) + b * x).clamp(0, height - 1), ((d * y + f) + e * x).clamp(0, width - 1)
    above, left = y_BHW.floor().long(), x_BHW.floor().long()
    below, right = (above + 1).clamp(max=height - 1), (left + 1).clamp(max=width - 1)
    along, down = (x_BHW - left)[:, None], (y_BHW - above)[:, None]
    upper = pixels_at(x_BCHW, above, left)
    if not bool(along.any() or down.any()):  # moved by whole pixels
        return upper
    upper = upper + (pixels_at(x_BCHW, above, right) - upper) * along
    lower = pixels_at(x_BCHW, below, left)
    lower = lower + (pixels_at(x_BCHW, below, right) - lower) * along
    return upper + (lower - upper) * down


def pixels_at(x_BCHW: Tensor, row_BHW: Tensor, column_BHW: Tensor) -> Tensor:
    """The pictures' pixels in these rows and columns."""
    place_B1N = (row_BHW * x_BCHW.shape[3] + column_BHW).flatten(1)[:, None]
    return x_BCHW.flatten(2).gather(2, place_B1N.expand(-1, x_BCHW.shape[1], -1)).view_as(x_BCHW)


def cut_out(x_BCHW: Tensor, square_4B: Tensor) -> Tensor:
    """The pictures, with 0 in the square: from (top, left) up to, but without, (bottom, right)."""
    top, left, bottom, right = square_4B.view(4, -1, 1, 1, 1)
    y = torch.arange(x_BCHW.shape[2], device=x_BCHW.device)[:, None]
    x = torch.arange(x_BCHW.shape[3], device=x_BCHW.device)
    return x_BCHW.masked_fill((y >= top) & (y < bottom) & (x >= left) & (x < right), 0)
