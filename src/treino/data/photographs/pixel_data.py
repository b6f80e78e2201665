"""Load the pixels of an opened picture file; refuse a file whose data hold fewer than its header says.

Where data are missing, Pillow leaves the pixels of some formats black, or grey, and reports no error. Each
format shows in another way whether all of them came:

- PNG: each piece of data has a checksum, and all of them a length once they are decompressed.
- GIF: the data of the first frame are cut off from the rest, so that a decoder that wants more finds none.
- JPEG: libjpeg warns of missing and damaged data, and simplejpeg raises what it warns of. A pass over the
  pixels that is missing as a whole is no reason for a warning; passes are counted.
- TIFF: its strips or tiles are counted, and those that are compressed as JPEG are examined as JPEG.

Pillow itself refuses a BMP or WebP with too few.
"""

import io
import re
import struct
import zlib
from typing import TYPE_CHECKING, Any

from treino.base.words import _

if TYPE_CHECKING:
    from PIL import Image

_TRUNCATED = "image file is truncated"  # in the words of Pillow


def load_whole(picture: "Image.Image", content: bytes) -> None:
    """Load the pixels of a just opened file, whose bytes are given.

    Raises OSError or ValueError, besides the errors that Pillow raises, if its data don't hold all pixels.
    """
    if picture.format == "PNG":
        _check_png(content)
    elif picture.format == "GIF":
        picture.fp = io.BytesIO(content[: _end_of_gif(content, picture.tile[0][2])])  # type: ignore[attr-defined]
    elif picture.format in ("JPEG", "MPO"):
        _load_jpeg(picture, content)
    picture.load()
    if picture.format == "TIFF":
        _check_tiff(picture.tag_v2, content)  # type: ignore[attr-defined]


# ---- PNG


_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by the kind of colours
_ROWS = ((0, 1, 0, 1),)  # for each pass: first row, rows from one to the next, and the same of columns
_INTERLACED_ROWS = (
    *((0, 8, 0, 8), (0, 8, 4, 8), (4, 8, 0, 4), (0, 4, 2, 4)),
    *((2, 4, 0, 2), (0, 2, 1, 2), (1, 2, 0, 1)),
)


def _check_png(content: bytes) -> None:
    """Check the pieces of data by their checksums, and their length; Pillow reads none after the last row."""
    at, size, wanted, decompressor = 8, 0, 0, zlib.decompressobj()
    while at + 8 <= len(content):
        length, kind = struct.unpack_from(">I4s", content, at)
        start, at = at + 8, at + 12 + length
        piece = content[start : at - 4]
        if kind == b"IHDR":
            wanted = _png_size(piece)
        elif kind == b"IDAT":
            if at > len(content):
                raise OSError(_TRUNCATED)
            if zlib.crc32(kind + piece) != int.from_bytes(content[at - 4 : at], "big"):
                raise OSError(_("the checksum of its pixels is wrong"))
            if size < wanted:
                size += len(decompressor.decompress(piece, wanted - size))
        elif kind == b"IEND":
            break
    if size < wanted:
        raise OSError(_TRUNCATED)


def _png_size(header: bytes) -> int:
    """The bytes of all rows, each of which begins with the number of its filter."""
    width, height, bits, colours, interlaced = struct.unpack(">IIBB2xB", header)
    return sum(
        len(range(y, height, down)) * (1 + -(-len(range(x, width, across)) * bits * _CHANNELS[colours] // 8))
        for y, down, x, across in (_INTERLACED_ROWS if interlaced else _ROWS)
        if x < width
    )


# ---- GIF


def _end_of_gif(content: bytes, at: int) -> int:
    """Where the data end that begin at a place: they are pieces of up to 255 bytes, each after its length."""
    while at < len(content) and content[at]:
        at += 1 + content[at]
    return at + 1


# ---- JPEG

_MARKER = re.compile(rb"\xff[\xc0-\xcf\xd9-\xfe]")
_PROGRESSIVE = {0xC0: False, 0xC1: False, 0xC2: True, 0xC9: False, 0xCA: True}  # by the markers of frames
_SCAN, _END, _APPLICATION = 0xDA, b"\xff\xd9", 0xE0
_ALL_BITS = 2**64 - 1  # one for each coefficient of 8 × 8 pixels
_SEQUENTIAL = b"\0\x3f\0"  # a scan of all coefficients, with all of their digits
_COLOURS = {"L": "GRAY", "RGB": "RGB"}
_DAMAGE = re.compile(r"Premature|Inconsistent|Corrupt(?!.* extraneous bytes before marker 0xd9)")
_OTHER_DATA = b"".join(b"\x5a" * 600 + bytes((0xFF, 0xD0 + number)) for number in range(8))  # with restarts


def _load_jpeg(picture: "Image.Image", content: bytes) -> None:
    """Load the pixels by simplejpeg, with the bits of Pillow, which has the same library; of a file that it
    warns of or can't decode, examine the data, and leave the pixels to Pillow."""
    import simplejpeg
    from PIL import Image

    try:
        colours, (width, height) = _COLOURS[picture.mode], picture.size
        pixels = simplejpeg.decode_jpeg(content, colours, min_height=height, min_width=width)
    except (KeyError, ValueError):
        picture.load()
        _check_jpeg(content)
    else:
        _scans(content)
        picture.im = Image.frombytes(picture.mode, picture.size, pixels.tobytes()).im
        picture.tile = []  # type: ignore[attr-defined]  # nothing is left to load


def _check_jpeg(content: bytes, rows: int = 0) -> None:
    """Raise OSError or ValueError for a JPEG of fewer rows, with damaged data, or without some of them."""
    import simplejpeg

    scans = _scans(content, rows)
    whole = b"".join(head + data for head, data in scans) + _END  # also where the end lacks, and no pixel
    try:
        simplejpeg.decode_jpeg(whole, "GRAY", fastdct=True, min_height=1, min_width=1)  # an eighth: quick
    except ValueError as error:  # also because of colours that it can't decode
        if _DAMAGE.match(str(error)):
            raise
        other = b"".join(head + data + _OTHER_DATA for head, data in scans) + _END
        if _pixels(whole) != _pixels(other):  # a decoder that has all pixels reads no other data
            raise OSError(_TRUNCATED) from None


def _scans(content: bytes, rows: int = 0) -> list[tuple[bytes, bytes]]:
    """For each pass over the pixels what is written before its data, and they. Raises OSError for a picture
    of fewer rows, and if no pass holds some coefficient's upper bits.

    libjpeg reports its first warning alone. So that this one is about pixels, what isn't about them is left
    out, and each scan that isn't progressive has the parameters that all of them should have.
    """
    at, progressive, missing = 2, False, dict[int, int]()
    head, scans = content[:2], list[tuple[bytes, bytes]]()
    while (marker := _MARKER.search(content, at)) and marker[0] != _END:
        start, kind = marker.end(), marker[0][1]
        at = start + int.from_bytes(content[start : start + 2], "big")
        segment = content[start + 2 : at]
        if kind in _PROGRESSIVE:
            progressive = _PROGRESSIVE[kind]
            missing = dict.fromkeys(segment[6::3], _ALL_BITS)
            if int.from_bytes(segment[1:3], "big") < rows:
                raise OSError(_TRUNCATED)
        if kind < _APPLICATION:
            head += content[marker.start() : at]
        if kind == _SCAN and missing:
            if not progressive:
                head = head[:-3] + _SEQUENTIAL
            first, last, bits = head[-3:]
            held = 0 if bits & 15 else 2 ** (last + 1) - 2**first
            for component in segment[1:-3:2]:
                missing[component] &= ~held
            start, at = at, _end_of_data(content, at, last_scan=not progressive and not any(missing.values()))
            scans.append((head, content[start:at]))
            head = b""
    if any(missing.values()):
        raise OSError(_TRUNCATED)
    return scans


def _end_of_data(content: bytes, at: int, last_scan: bool) -> int:
    """Where the data of a scan end that begin at a place; those of the last one quickly."""
    marker = None if last_scan else _MARKER.search(content, at)
    end = content.find(_END, at) if last_scan else marker.start() if marker else -1
    return end if end >= 0 else len(content)


def _pixels(content: bytes) -> bytes:
    from PIL import Image

    try:
        with Image.open(io.BytesIO(content), formats=("JPEG",)) as picture:
            return picture.tobytes()
    except (OSError, SyntaxError):  # a piece of a TIFF that is no picture on its own
        return b""


# ---- TIFF

_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _STRIP_HEIGHT, _TABLES = 256, 257, 258, 259, 278, 347  # tags
_CHANNEL_COUNT, _LAYOUT, _TILE_WIDTH, _TILE_HEIGHT = 277, 284, 322, 323
_STRIPS, _TILES = (273, 279), (324, 325)  # places and sizes of its pieces
_RAW, _NEW_JPEG, _PLANES = 1, 7, 2  # two compressions, and the layout of channels that follow each other


def _check_tiff(tags: Any, content: bytes) -> None:
    """Raise OSError or ValueError if pieces are missing, or one that is a JPEG lacks pixels."""
    width, height, tiled = tags[_WIDTH], tags[_HEIGHT], _TILES[0] in tags
    columns, rows = width, min(height, tags.get(_STRIP_HEIGHT, height))
    if tiled:
        columns, rows = tags[_TILE_WIDTH], tags[_TILE_HEIGHT]
    across, down = -(-width // columns), -(-height // rows)
    places, sizes = (tags.get(tag, ()) for tag in (_TILES if tiled else _STRIPS))
    planes = tags.get(_CHANNEL_COUNT, 1) if tags.get(_LAYOUT) == _PLANES else 1
    compression = tags.get(_COMPRESSION, _RAW)
    strip = -(-width * sum(tags.get(_BITS, (1,))) // 8) * height  # if there is one, uncompressed
    overlaps = compression == _RAW and len(places) == 1 and places[0] < tags.offset < places[0] + strip
    if overlaps or len(places) < across * down * planes:
        raise OSError(_TRUNCATED)
    if compression == _NEW_JPEG:
        tables: bytes = tags.get(_TABLES, b"")
        for number, (place, size) in enumerate(zip(places, sizes, strict=True)):
            piece = content[place : place + size]
            above = number // across % down * rows
            least = rows if tiled else min(rows, height - above)
            _check_jpeg(tables[:-2] + piece[2:] if tables else piece, least)
