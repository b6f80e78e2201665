"""Load the pixels of an opened picture file; refuse a file whose data hold fewer than its header says.

Where data are missing, Pillow leaves the pixels of some formats black, or grey, and reports no error. Each
format shows in another way whether all of them came:

- PNG: the pixel that is decoded last is marked before, and must lose its mark; each piece of data has a CRC.
- GIF: the data of the first frame are cut off from the rest, so that a decoder that wants more finds none.
- JPEG: ``jpeg_data.py``.
- TIFF: its last pixel is marked too, and pieces that are compressed as JPEG are examined as JPEG.

Pillow itself refuses a BMP or WebP with too few.
"""

import io
import struct
import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from treino.base.words import _
from treino.data.photographs.jpeg_data import TRUNCATED, is_grey, jpeg_data, load_jpeg

if TYPE_CHECKING:
    from PIL import Image

_MARKS = (165, 90)  # two values of the marked pixel: one that keeps both was never decoded
_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _ROWS, _TABLES = 256, 257, 258, 259, 278, 347  # tags of a TIFF
_STRIPS, _TILES = (273, 279), (324, 325)  # places and sizes of its pieces
_TILE_WIDTH, _TILE_HEIGHT = 322, 323
_NEW_JPEG = 7  # a compression


def load_whole(picture: "Image.Image", content: bytes) -> None:
    """Load the pixels of a just opened file, whose bytes are given.

    Raises OSError, besides the errors that Pillow raises, if its data don't hold all pixels.
    """
    if picture.format == "PNG":
        _check_crc(content)
        _load_marked(picture, content, picture.size, _last_of_png(picture))
    elif picture.format == "GIF":
        picture.fp = io.BytesIO(content[: _end_of_gif(content, picture.tile[0][2])])  # type: ignore[attr-defined]
        picture.load()
    elif picture.format in ("JPEG", "MPO"):
        load_jpeg(picture, content)
    elif picture.format == "TIFF":
        tags: Any = picture.tag_v2  # type: ignore[attr-defined]
        if tags.get(_COMPRESSION, 1) == 1 and _overlap(tags):
            raise OSError(TRUNCATED)
        width, height = tags[_WIDTH], tags[_HEIGHT]
        memory = _load_marked(picture, content, (width, height), (width - 1, height - 1))
        if tags.get(_COMPRESSION) == _NEW_JPEG:
            _check_jpegs(tags, content, memory)
    else:
        picture.load()


def _load_marked(picture: "Image.Image", content: bytes, size: tuple[int, int], last: tuple[int, int]) -> Any:
    """Load a picture of that size in its file, the pixel ``last`` of which is decoded after all others.

    Return the memory that it was decoded into."""
    from PIL import Image

    memory, bands = _decoded(picture, size, last, _MARKS[0])
    if bands:
        with Image.open(io.BytesIO(content), formats=(picture.format or "",)) as again:
            if bands & _decoded(again, size, last, _MARKS[1])[1]:
                raise OSError(TRUNCATED)
    return memory


def _decoded(
    picture: "Image.Image", size: tuple[int, int], last: tuple[int, int], mark: int
) -> tuple[Any, set[int]]:
    """Mark a pixel and load the picture. Return the memory that it was decoded into, and the channels in
    which the pixel has the mark's value."""
    from PIL import Image

    bands = len(picture.getbands())
    memory: Any = Image.core.new(picture.mode, size)  # type: ignore[attr-defined]
    memory.putpixel(last, mark if bands == 1 else (mark,) * bands)
    before = memory.getpixel(last)
    picture.im = memory  # the picture's own may be another afterwards, turned or composed
    picture.load()
    after = memory.getpixel(last)
    if bands == 1:
        return memory, {0} if before == after else set()
    return memory, {band for band in range(bands) if before[band] == after[band]}


# ---- PNG


def _check_crc(content: bytes) -> None:
    """Check the pieces of data by their CRC, which Pillow doesn't: after the last row it reads nothing."""
    at, view = 8, memoryview(content)
    while at + 8 <= len(content):
        length, kind = struct.unpack_from(">I4s", content, at)
        end = at + 8 + length
        if kind == b"IDAT":
            if end + 4 > len(content):
                raise OSError(TRUNCATED)
            if zlib.crc32(view[at + 4 : end]) != int.from_bytes(view[end : end + 4], "big"):
                raise OSError(_("the checksum of its pixels is wrong"))
        elif kind == b"IEND":
            return
        at = end + 4


def _last_of_png(picture: "Image.Image") -> tuple[int, int]:
    """The pixel that is decoded last: in an interlaced file one of every second row; if there is one row, of
    every second column."""
    x, y = picture.width - 1, picture.height - 1
    if not picture.info.get("interlace"):
        return x, y
    if y:
        return x, y - 1 + y % 2
    return max(0, x - 1 + x % 2), 0


# ---- GIF


def _end_of_gif(content: bytes, at: int) -> int:
    """Where the data end that begin at a place: they are pieces of up to 255 bytes, each after its length."""
    while at < len(content) and content[at]:
        at += 1 + content[at]
    return at + 1


# ---- TIFF


def _check_jpegs(tags: Any, content: bytes, memory: Any) -> None:
    """Examine the strips or tiles of a TIFF that are JPEGs. Raises OSError if one lacks pixels.

    memory: the decoded picture, whose value at the end of a piece says whether it must be examined closely.
    """
    from PIL import Image

    tables: bytes = tags.get(_TABLES, b"")
    for (x, y), height, piece in _pieces(tags, content):
        whole = tables[:-2] + piece[2:] if tables else piece
        data = jpeg_data(whole)
        if data is None:
            continue
        if data.frame.height < height or data.lack_parts():
            raise OSError(TRUNCATED)
        if is_grey(memory.getpixel((x, y))):
            try:
                with Image.open(io.BytesIO(whole), formats=("JPEG",)) as picture:
                    load_jpeg(picture, whole)
            except Exception as error:
                if TRUNCATED in str(error):
                    raise  # of the rest the decoder of the TIFF judges


def _pieces(tags: Any, content: bytes) -> Iterator[tuple[tuple[int, int], int, bytes]]:
    """Of each piece: the place of its last pixel, the number of its rows, and its bytes."""
    tiled, width, height = _TILES[0] in tags, tags[_WIDTH], tags[_HEIGHT]
    places, sizes = _TILES if tiled else _STRIPS
    columns = tags[_TILE_WIDTH] if tiled else width
    rows = tags[_TILE_HEIGHT] if tiled else min(height, tags.get(_ROWS, height))
    across, down = -(-width // columns), -(-height // rows)
    for number, (place, size) in enumerate(zip(tags[places], tags[sizes], strict=True)):
        row, column = divmod(number % (across * down), across)  # planes follow each other
        last = min((column + 1) * columns, width) - 1, min((row + 1) * rows, height) - 1
        yield last, rows if tiled else last[1] + 1 - row * rows, content[place : place + size]


def _overlap(tags: Any) -> bool:
    """Whether the only strip, uncompressed, needs more bytes than there are up to the tags."""
    starts = tags.get(_STRIPS[0], ())
    size = -(-tags[_WIDTH] * sum(tags.get(_BITS, (1,))) // 8) * tags[_HEIGHT]
    return len(starts) == 1 and bool(starts[0] < tags.offset < starts[0] + size)
