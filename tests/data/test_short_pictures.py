"""A picture file whose data hold fewer pixels than it says is named; a good one with more in it is read."""

import re
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

import treino
from tests.conftest import refusal_of
from tests.data.test_photograph_files import (
    COLOUR,
    FORMATS,
    GREY,
    HEIGHT,
    RNG,
    WIDTH,
    album_of,
    decoded,
    lines,
    png,
    saved,
    smooth,
)
from treino.data import load


def interlaced(value_HWC: NDArray[Any]) -> bytes:
    """The rows of a PNG in seven passes: of every eighth row and column, the columns between, and so on."""
    ways = ((0, 8, 0, 8), (0, 8, 4, 8), (4, 8, 0, 4), (0, 4, 2, 4), (2, 4, 0, 2), (0, 2, 1, 2), (1, 2, 0, 1))
    passes = (value_HWC[y::down, x::across] for y, down, x, across in ways)
    return b"".join(lines(each) for each in passes if each.size)


def taller(content: bytes, height: int = 32) -> bytes:
    """A file of few rows whose header says that there are more: its data are whole, and too few."""
    whole = bytearray(content)

    def put(form: str, *places: int) -> None:
        for place in places:
            struct.pack_into(form, whole, place, height)

    if content[:4] == b"\x89PNG":
        put(">I", 20)
        struct.pack_into(">I", whole, 29, zlib.crc32(whole[12:29]))
    elif content[:2] == b"\xff\xd8":
        frame = max(content.find(b"\xff" + kind + b"\0") for kind in (b"\xc0", b"\xc2"))
        put(">H", frame + 5)
    elif content[:3] == b"GIF":
        put("<H", 8, content.find(b"\x2c\0\0\0\0") + 7)
    elif content[:2] == b"BM":
        put("<I", 22)
    elif content[:4] == b"RIFF":
        put("<H", content.find(b"\x9d\x01\x2a") + 5)
    else:
        start, kinds = struct.unpack_from("<I", content, 4)[0] + 2, {3: "<H", 4: "<I"}
        for place in range(start, start + 12 * struct.unpack_from("<H", content, start - 2)[0], 12):
            tag, kind = struct.unpack_from("<HH", content, place)
            if tag == 257 or (tag == 278 and struct.unpack_from(kinds[kind], content, place + 8)[0] == 9):
                put(kinds[kind], place + 8)  # the height, and the rows of the only strip
    return bytes(whole)


def short_files() -> dict[str, bytes]:
    noise = RNG.integers(0, 256, (9, WIDTH, 4), dtype=np.uint8)
    few = {
        "RGB": Image.fromarray(noise[..., :3].copy()),
        "L": Image.fromarray(noise[..., 0].copy()),
        "P": Image.fromarray(noise[..., 0].copy()).convert("P"),
        "1": Image.fromarray(noise[..., 0] > 127),
        "RGBA": Image.fromarray(noise),
        "LA": Image.fromarray(noise).convert("LA"),
        "I;16": Image.fromarray(noise[..., 0].astype(np.uint16) * 257),
        "CMYK": Image.fromarray(noise, "CMYK"),
    }
    files = {f"{mode}.png": saved(few[mode], "PNG") for mode in ("RGB", "L", "P", "1", "RGBA", "LA", "I;16")}
    for mode in ("RGB", "L", "CMYK"):
        for options in ({}, {"progressive": True}, {"restart_marker_rows": 1}, {"subsampling": 0}):
            files[f"{mode}-{'-'.join(options)}.jpg"] = saved(few[mode], "JPEG", **options)
    for mode in ("RGB", "L", "1"):
        files |= {f"{mode}.bmp": saved(few[mode], "BMP")}
        files |= {f"{mode}-{i}.gif": saved(few[mode], "GIF", interlace=i) for i in (0, 1)}
    for way in ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg"):
        files |= {
            f"{way}-{size}.tif": saved(few["RGB"], "TIFF", compression=way, strip_size=size)
            for size in (9999, WIDTH * 3 * 8)
        }
    return files | {"lossy.webp": saved(few["RGB"], "WEBP")}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_file_whose_data_end_before_its_last_row_is_named(tmp_path: Path) -> None:
    folder = album_of(tmp_path / "p", {f"{i}.png": saved(smooth(seed=i), "PNG") for i in range(4)})
    files = {f"short-{name}": taller(content) for name, content in short_files().items()}
    for name, content in files.items():
        assert decoded(content) is None, name
        assert decoded(content + b"\0" * 20) is None, name  # what follows the end of a file doesn't help
        (folder / "a" / name).write_bytes(content)
    refused = refusal_of(load, folder)
    assert f"{len(files)} of {len(files) + 6} " in refused.message
    data = load(folder, skip_bad=len(files))
    (folder / "a" / "short-RGB.png").rename(tmp_path / "short.png")
    run = treino.fit(data, epochs=1, net="mlp", out=tmp_path / "run")
    assert "cut off" in str(refusal_of(run.predict, tmp_path / "short.png"))
    with Image.open(tmp_path / "short.png") as picture:
        assert "cut off" in str(refusal_of(run.predict, [picture]))


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 20), st.integers(1, 20), st.sampled_from([0, 2, 4, 6]), st.sampled_from([8, 16]), st.data()
)
def test_every_byte_of_a_png_counts(
    height: int, width: int, kind: int, bits: int, draw: st.DataObject
) -> None:
    """Also of an interlaced one: with a byte less than all, or another one, it is no picture."""
    depth, kinds = {0: 1, 2: 3, 4: 2, 6: 4}[kind], {8: np.uint8, 16: np.uint16}
    value_HWC = np.random.default_rng(height).integers(0, 2**bits, (height, width, depth), dtype=kinds[bits])
    for passes, rows in ((0, lines(value_HWC)), (1, interlaced(value_HWC))):
        content = png(kind, bits, rows, (width, height), passes)
        shape = (3, height, width)
        pixel_CHW, without_CHW = decoded(content, shape), decoded(content[:-12] + b"more", shape)
        assert pixel_CHW is not None
        assert without_CHW is not None  # all pixels are there, though the end isn't
        assert (pixel_CHW == without_CHW).all()
        if kind in (0, 2):
            upper_HWC = np.broadcast_to(value_HWC >> (bits - 8), (height, width, 3))
            assert (pixel_CHW.transpose(1, 2, 0) == upper_HWC).all()
        fewer = draw.draw(st.integers(0, len(rows) - 1))
        assert decoded(png(kind, bits, rows[:fewer], (width, height), passes), shape) is None
        start = content.find(b"IDAT") + 4
        place = draw.draw(st.integers(start, len(content) - 17))
        flipped = bytes([content[place] ^ 1 << draw.draw(st.integers(0, 7))])
        assert decoded(content[:place] + flipped + content[place + 1 :], shape) is None


JPEGS = pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_rows": 1}], ids=str)
MODES = pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])


@JPEGS
@MODES
@pytest.mark.parametrize("size", [(16, 24), (120, 90)])
def test_a_jpeg_that_ends_early_is_refused(size: tuple[int, int], mode: str, options: dict[str, Any]) -> None:
    """Also where it lacks a byte, or whole passes over its pixels, and has an end."""
    content = saved(Image.fromarray(smooth(*size, seed=3)).convert(mode), "JPEG", quality=90, **options)
    assert decoded(content, (3, *size)) is not None
    scan = content.find(b"\xff\xda")
    passes = [table.start() for table in re.compile(b"\xff\xc4").finditer(content, scan)]
    for end in (*passes, *np.linspace(scan, len(content) - 3, 60).astype(int).tolist()):
        assert decoded(content[:end], (3, *size)) is None
        assert decoded(content[:end] + b"\xff\xd9", (3, *size)) is None


@JPEGS
@MODES
def test_harmless_faults_keep_no_jpeg_out_and_hide_no_missing_pixel(
    mode: str, options: dict[str, Any]
) -> None:
    """Of a header, or bytes before the end: libjpeg reports the first fault alone."""
    content = saved(Image.fromarray(smooth(48, 64)).convert(mode), "JPEG", **options)
    whole, scan = decoded(content, (3, 48, 64)), content.find(b"\xff\xda")
    faults = [(b"JFIF\0\1", b"JFIF\0\3"), (b"\xff\xdb", b"abc\xff\xdb"), (b"\xff\xd9", b"abc\xff\xd9")]
    faults += [] if "progressive" in options else [(b"\0\x3f\0", b"\0\1\0")]
    for fault in faults:
        faulty = content.replace(*fault)
        assert np.array_equal(decoded(faulty, (3, 48, 64)), whole), fault
        assert decoded(taller(faulty, 96), (3, 96, 64)) is None, fault
        middle = scan + (len(faulty) - scan) // 3
        assert decoded(faulty[:middle] + faulty[middle + 200 :], (3, 48, 64)) is None, fault


def test_what_else_is_in_a_file_keeps_no_picture_out() -> None:
    """Bytes behind the end, before it, and between the parts; no end at all where every pixel is there."""
    for mode in ("L", "RGB", "CMYK"):
        for options in (
            {},
            {"progressive": True},
            {"restart_marker_rows": 1},
            {"quality": 100},
            {"optimize": True},
        ):
            content = saved(Image.fromarray(COLOUR).convert(mode), "JPEG", **options)
            whole = decoded(content)
            assert whole is not None
            body, scan = content[:-2], content.find(b"\xff\xda")
            second = saved(GREY, "JPEG")
            others = [
                content + second,
                content + b"\0" * 30,
                body + b"\xff\xff\xff\xd9",
                body + b"\0\0\0\xff\xd9",
            ]
            others += [content[:scan] + b"\xff\xe5\0\4\xff\xd9\xff\xff" + content[scan:]]
            for other in others:
                assert np.array_equal(decoded(other), whole)
    for i in (0, 1):
        content = saved(COLOUR, "GIF", interlace=i)
        moving = saved(Image.fromarray(COLOUR), "GIF", save_all=True, append_images=[Image.fromarray(GREY)])
        for other in (content + b"more", content[:-1], moving):
            assert decoded(other) is not None
    part = png(0, 8, lines(GREY))
    start = part.find(b"IDAT") - 4
    text = struct.pack(">I4s3sI", 3, b"tEXt", b"a\0b", zlib.crc32(b"tEXta\0b"))
    empty = struct.pack(">I4sI", 0, b"IDAT", zlib.crc32(b"IDAT"))
    for other in (
        part + part,
        part[:start] + text + empty + part[start:],
        part[:-12] + empty + text + part[-12:],
    ):
        assert np.array_equal(decoded(other), decoded(part))
    for white in (np.full((HEIGHT, WIDTH), value, np.uint8) for value in (255, 128, 165, 90, 0)):
        for form in FORMATS:
            assert (
                decoded(saved(white, form)) is not None
            )  # also where the last pixel looks as if it were missing
