"""Decode the bytes of a picture file into pixels of a given size."""

import io
import math
import re
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from treino.base.words import _
from treino.data.photographs.pixel_data import load_whole
from treino.settings.data_settings import Fit

if TYPE_CHECKING:
    from PIL import Image

Shape = tuple[int, int, int]  # channels, height, width

MOST_PIXELS = 80_000_000  # maximum for one file; decompressed, each pixel takes four bytes
LARGEST_SIDE = 64  # of pictures whose size is chosen by ``common_shape``
_STUMBLES = (  # errors that Pillow raises for damaged bytes
    *(OSError, SyntaxError, ValueError, EOFError, IndexError, TypeError, MemoryError, ArithmeticError),
    *(LookupError, AttributeError, RuntimeError, struct.error, zlib.error),
)
_ORIENTATION = 0x0112  # the EXIF tag
_TURNS = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}  # {EXIF orientation: number of Image.Transpose}
_GREY = ("1", "L", "LA", "La", "I;16", "I;16L", "I;16B", "I")
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF")  # MPO opens as JPEG


class UnreadablePictureError(Exception):
    """A file that can't be decoded; its text is the reason."""


@dataclass(frozen=True)
class PictureForm:
    """The form of a picture file, as its header states it.

    width, height: in pixels, of the upright picture. mode: Pillow's name of the pixel type. format: as JPEG.
    frames: more than 1 for a moving picture, of which the first is used. turned: whether its EXIF orientation
    turns or mirrors it.
    """

    width: int
    height: int
    mode: str
    format: str
    frames: int = 1
    turned: bool = False

    @property
    def grey(self) -> bool:
        return self.mode in _GREY


def common_shape(forms: list[PictureForm], size: tuple[int, int] | None) -> Shape:
    """The common shape to which all pictures are resized: (channels, height, width).

    size: height and width as requested. Default: the pictures' own size, if all have the same and no side is
    longer than 64 pixels; else a square as large as half of the pictures are at least, but at most 64. In
    colour if any picture is.
    """
    channels = 1 if all(form.grey for form in forms) else 3
    if size is None:
        sizes = {(form.height, form.width) for form in forms}
        own = next(iter(sizes))
        shorter = sorted(min(form.height, form.width) for form in forms)
        side = min(LARGEST_SIDE, shorter[(len(shorter) - 1) // 2])
        size = own if len(sizes) == 1 and max(own) <= LARGEST_SIDE else (side, side)
    return channels, *size


def decode(content: bytes, shape: Shape | None, fit: Fit) -> tuple[PictureForm, NDArray[np.uint8] | None]:
    """Return the form of the file and its pixels ``[C, H, W]``; if shape is None, None instead of pixels.

    The first frame, turned as its EXIF orientation says. Transparent parts become white; 16-bit values become
    their upper 8 bits; other colours become RGB, and grey its luminance. A picture that gets smaller is
    averaged (Pillow's bilinear resampling), a large JPEG from its nearest halved size, which changes values
    by at most 2 of 255 on average.

    Raises UnreadablePictureError with the reason.
    """
    from PIL import Image

    if not content:
        raise UnreadablePictureError(_("it is empty"))
    with refused(), Image.open(io.BytesIO(content), formats=FORMATS) as picture:
        width, height = picture.size
        if width * height > MOST_PIXELS:
            text = _("it has {width:,} × {height:,} pixels, and {most:,} in all are the most")
            raise UnreadablePictureError(text.format(width=width, height=height, most=MOST_PIXELS))
        mode, pixels = picture.mode, None
        if shape is not None:
            if picture.format == "JPEG":
                _draft(picture, shape, fit)
            load_whole(picture, content)  # first of all: what fails to load once raises no error afterwards
        if picture.mode == "P" and _has_grey_palette(picture):  # this loads the picture
            mode = "L"
        turned = _orientation(picture)
        if shape is not None:
            pixels = _fitted(picture, turned, shape, fit)
        if turned >= 5:
            width, height = height, width
        frames = _frames(picture)  # this moves on from the first frame, whose pixels are already copied
        return PictureForm(width, height, mode, picture.format or "", frames, turned in _TURNS), pixels


@contextmanager
def refused() -> Iterator[None]:
    """Within the block, errors that Pillow raises for a file become UnreadablePictureError."""
    from PIL import Image, UnidentifiedImageError

    try:
        yield
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        pixels = re.search(r"\d+", str(error))
        raise UnreadablePictureError(
            _("it has {n:,} pixels, and {most:,} are the most").format(
                n=int(pixels[0]) if pixels else 2 * MOST_PIXELS, most=MOST_PIXELS
            )
        ) from None
    except UnidentifiedImageError:
        raise UnreadablePictureError(_("its content is that of no picture")) from None
    except _STUMBLES as error:
        raise UnreadablePictureError(_reason(error)) from None


def _reason(error: Exception) -> str:
    text = str(error).strip().rstrip(".")
    if re.search("truncated|premature", text.lower()) or isinstance(error, EOFError):
        return _("it is cut off")
    return _("it is damaged ({reason})").format(reason=text or type(error).__name__)


def _orientation(picture: "Image.Image") -> int:
    """The EXIF orientation that is still to be applied; 1: none. Pillow applies a TIFF's itself. A PNG's
    may come after its pixels, and is known once they are loaded."""
    behind = picture.format == "PNG" and "exif" not in picture.info and getattr(picture, "tile", None)
    if picture.format == "TIFF" or behind:
        return 1
    try:
        turned = int(picture.getexif().get(_ORIENTATION, 1))
    except Exception:  # damaged metadata, which the pixels don't need
        return 1
    return turned if turned in _TURNS else 1


def _has_grey_palette(picture: "Image.Image") -> bool:
    colour_CK = np.array(picture.getpalette() or [], dtype=np.uint8)
    if not len(colour_CK) or len(colour_CK) % 3:
        return False
    return bool((colour_CK.reshape(-1, 3) == colour_CK[::3, None]).all())


def _frames(picture: "Image.Image") -> int:
    """The number of frames; for a GIF, 2 stands for any number above 1, to avoid counting. 1 if the further
    ones are damaged."""
    try:
        if picture.format == "GIF":
            return 1 + bool(getattr(picture, "is_animated", False))
        return int(getattr(picture, "n_frames", 1)) if picture.format in ("TIFF", "WEBP", "PNG") else 1
    except Exception:  # damage outside the pixels that are used
        return 1


def _draft(picture: "Image.Image", shape: Shape, fit: Fit) -> None:
    """Have a JPEG decoded at a halved size, if that is enough."""
    channels, height, width = shape
    across = (height, width) if _orientation(picture) >= 5 else (width, height)  # as stored in the file
    least = max if fit != "pad" else min
    factor = least(across[0] / picture.width, across[1] / picture.height)
    draft = (math.ceil(picture.width * factor), math.ceil(picture.height * factor))
    picture.draft("L" if channels == 1 else "RGB", draft)


def _fitted(picture: "Image.Image", turned: int, shape: Shape, fit: Fit) -> NDArray[np.uint8]:
    channels, height, width = shape
    plain = _plain(picture, channels)
    if turned in _TURNS:
        plain = plain.transpose(_TURNS[turned])  # type: ignore[arg-type]
    plain = _resized(plain, width, height, fit)
    values = np.asarray(plain)
    return values[None] if channels == 1 else values.transpose(2, 0, 1)


def _resized(picture: "Image.Image", width: int, height: int, fit: Fit) -> "Image.Image":
    from PIL import Image, ImageOps

    if picture.size == (width, height):
        return picture
    if fit == "crop":
        return ImageOps.fit(picture, (width, height), Image.Resampling.BILINEAR)
    if fit == "stretch":
        return picture.resize((width, height), Image.Resampling.BILINEAR)
    factor = min(width / picture.width, height / picture.height)
    inner = (max(1, round(picture.width * factor)), max(1, round(picture.height * factor)))
    whole = Image.new(picture.mode, (width, height))
    whole.paste(
        picture.resize(inner, Image.Resampling.BILINEAR), ((width - inner[0]) // 2, (height - inner[1]) // 2)
    )
    return whole


def _plain(picture: "Image.Image", channels: int) -> "Image.Image":
    """The picture in mode L or RGB."""
    from PIL import Image

    mode = "L" if channels == 1 else "RGB"
    clear = picture.info.get("transparency")
    if picture.mode == mode and clear is None:
        return picture
    if picture.mode == "F":
        raise UnreadablePictureError(_("its pixels are fractions, of which none says what is white"))
    if picture.mode.startswith("I"):
        value_HW = np.asarray(picture)
        if value_HW.min(initial=0) < 0 or value_HW.max(initial=0) > 65_535:
            raise UnreadablePictureError(_("its pixels are numbers beyond 16 bits"))
        upper_HW = (value_HW >> 8).astype(np.uint8)
        picture = Image.fromarray(np.where(value_HW == clear, np.uint8(255), upper_HW))
    if isinstance(clear, tuple) and max(clear) > 255:  # from a 16-bit file, which Pillow reads as 8-bit
        picture.info["transparency"] = tuple(value >> 8 for value in clear)
    if picture.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        white = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(white, picture)
    elif picture.mode == "LAB":
        picture = picture.convert("RGB")
    return picture.convert(mode)
