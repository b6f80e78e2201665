"""Tell whether the data of a JPEG hold all of its pixels: without them its decoder silently makes up grey."""

import io
import re
import struct
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from PIL import Image

TRUNCATED = "image file is truncated"  # in the words of Pillow
_BASELINE, _PROGRESSIVE = (0xC0, 0xC1), 0xC2  # frames in Huffman codes
_TABLES = (0xC4, 0xC8, 0xCC)  # among the markers of frames, and no frames
_END, _SCAN, _INTERVAL = 0xD9, 0xDA, 0xDD
_WITHIN_DATA = frozenset({0, 0xFF, *range(0xD0, 0xD8)})  # what follows 0xFF without ending the data
_RESTART = re.compile(rb"\xff[\xd0-\xd7]")
_NO_CODE = b"\xff\x00" * 7  # 56 bits of 1, what a decoder reads ahead at most; no code consists of ones
_OTHER_DATA = b"\x5a" * 600
_SMALL = 16 * 32  # pixels that are quickly decoded again
_GREY = range(127, 130)  # what a decoder makes of a missing unit


class _Frame(NamedTuple):
    """What the header says of all pixels. factors: horizontal and vertical sampling of each component."""

    progressive: bool
    width: int
    height: int
    factors: dict[int, tuple[int, int]]

    def units(self, components: bytes) -> int:
        """The number of coded units of a scan: blocks of one component, or the blocks of all that belong
        together."""
        across = max(each for each, _down in self.factors.values())
        down = max(each for _across, each in self.factors.values())
        width, height = -(-self.width // across), -(-self.height // down)
        if len(components) == 1:
            own_across, own_down = self.factors[components[0]]
            width, height = -(-self.width * own_across // across), -(-self.height * own_down // down)
        return -(-width // 8) * -(-height // 8)


class _Scan(NamedTuple):
    """One pass over the pixels. components: the identifiers of its colours. first, last, low: the
    coefficients that it holds, without their ``low`` lowest bits. interval: the units from restart to
    restart; 0: no restarts. start, end: where its data are."""

    components: bytes
    first: int
    last: int
    low: int
    interval: int
    start: int
    end: int


class JpegData(NamedTuple):
    content: bytes
    frame: _Frame
    scans: list[_Scan]

    def lack_parts(self) -> bool:
        """Whether a scan is missing, or a part of one from restart to restart."""
        for scan in self.scans:
            if scan.interval:
                restarts = sum(1 for _each in _RESTART.finditer(self.content, scan.start, scan.end))
                if restarts < (self.frame.units(scan.components) - 1) // scan.interval:
                    return True
        if self.is_one_scan():
            return False
        left = dict.fromkeys(self.frame.factors, 2**64 - 1)  # a bit for each coefficient
        for scan in self.scans:
            if not scan.low:
                for name in scan.components:
                    left[name] &= ~(2 ** (scan.last + 1) - 2**scan.first)
        return any(left.values())

    def is_one_scan(self) -> bool:
        """Whether one scan holds all, so that its pixels are decoded while it is read."""
        only = self.scans[0]
        return not self.frame.progressive and len(only.components) == len(self.frame.factors)

    def ended(self) -> bytes:
        """The file up to the end of its only scan, and bits that are no code, which its decoder uses up
        if pixels are missing. The file itself if it has no end, or several scans: they are all read first."""
        end = self.scans[0].end
        if end == len(self.content) or not self.is_one_scan():
            return self.content
        return self.content[:end] + _NO_CODE

    def wants_more(self) -> bool:
        """Whether other data behind those of each scan change a pixel: a decoder that has all skips them."""
        parts, at = [], 0
        for scan in self.scans:
            end = _end_of_data(self.content, scan.start)
            parts += [self.content[at:end], _OTHER_DATA]
            at = end
        return self._pixels(self.content) != self._pixels(b"".join([*parts, self.content[at:]]))

    def _pixels(self, content: bytes) -> bytes:
        from PIL import Image

        mode = {1: "L", 3: "RGB", 4: "CMYK"}[len(self.frame.factors)]
        size = (self.frame.width, self.frame.height)
        return Image.frombytes(mode, size, content, "jpeg", mode, "").tobytes()


def jpeg_data(content: bytes) -> JpegData | None:
    """Read the markers of a JPEG. None if they can't be read, or for a coding other than Huffman's."""
    try:
        return _read(content)
    except (struct.error, ValueError, LookupError):
        return None


def _read(content: bytes) -> JpegData | None:
    frame: _Frame | None = None
    scans: list[_Scan] = []
    at, interval = 2, 0
    while (at := content.find(b"\xff", at)) >= 0 and at + 4 <= len(content):
        kind = content[at + 1]
        if kind == _END:
            break
        if kind == 0xFF or kind < 0xC0 or 0xD0 <= kind <= 0xD8:  # not the begin of a segment
            at += 1
            continue
        start, at = at + 4, at + 2 + (content[at + 2] << 8) + content[at + 3]
        if kind > _INTERVAL or kind in _TABLES:
            continue
        if kind == _INTERVAL:
            interval = int.from_bytes(content[start : start + 2], "big")
        elif kind == _SCAN and frame is not None:
            count = content[start]
            components = content[start + 1 : start + 1 + 2 * count : 2]
            first, last, bits = content[start + 1 + 2 * count : start + 4 + 2 * count]
            held = (first, last, bits & 15) if frame.progressive else (0, 63, 0)
            if len(components) == len(frame.factors) and not frame.progressive:  # the only one
                end = content.rfind(b"\xff\xd9", at)  # quick, and right if no other picture follows
                scans.append(_Scan(components, *held, interval, at, end if end >= 0 else len(content)))
                break
            start, at = at, _end_of_data(content, at)
            scans.append(_Scan(components, *held, interval, start, at))
        elif kind <= 0xCF:
            if kind not in (*_BASELINE, _PROGRESSIVE) or frame is not None:
                return None
            _precision, height, width, count = struct.unpack_from(">BHHB", content, start)
            sampled = [content[start + 6 + 3 * i : start + 8 + 3 * i] for i in range(count)]
            factors = {name: (sides >> 4, sides & 15) for name, sides in sampled}
            frame = _Frame(kind == _PROGRESSIVE, width, height, factors)
    return JpegData(content, frame, scans) if frame and scans else None


def _end_of_data(content: bytes, at: int) -> int:
    """The place of the marker that ends a scan's data; the length of a file without."""
    while 0 <= (at := content.find(b"\xff", at)) < len(content) - 1:
        if content[at + 1] not in _WITHIN_DATA:
            while content[at - 1] == 0xFF:  # a marker may begin with several
                at -= 1
            return at
        at += 1
    return len(content)


def load_jpeg(picture: "Image.Image", content: bytes) -> None:
    """Load the pixels of a just opened JPEG. Raises OSError if its data don't hold all of them.

    What stays unnoticed: that the last unit or two are missing; of several scans, that one lacks some."""
    data = jpeg_data(content)
    if data is None:
        picture.load()
        return
    if data.lack_parts():
        raise OSError(TRUNCATED)
    picture.fp = io.BytesIO(data.ended())  # type: ignore[attr-defined]
    picture.load()
    small = data.frame.width * data.frame.height <= _SMALL
    last = picture.im.getpixel((picture.width - 1, picture.height - 1))
    if (small or is_grey(last)) and data.wants_more():
        raise OSError(TRUNCATED)


def is_grey(last: object) -> bool:
    """Whether the last pixel is as if its unit were missing in all scans: rarely by chance."""
    return all(value in _GREY for value in (last if isinstance(last, tuple) else (last,)))
