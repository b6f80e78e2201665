"""Picture files of every kind become the pixels that they show; files that can't are named, and left out."""

import io
import os
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps

from tests.conftest import refusal_of
from treino.base.errors import TreinoError
from treino.data import Data, load
from treino.data.photographs import album, archives
from treino.data.photographs.decoding import Fit, UnreadablePictureError, decode
from treino.reports.export import program_data

Pixels = NDArray[np.uint8]

RNG = np.random.default_rng(5)
HEIGHT, WIDTH = 16, 24
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF")


def smooth(height: int = HEIGHT, width: int = WIDTH, seed: int = 0) -> Pixels:
    """A picture ``[H, W, 3]`` without sharp edges, that compression with losses hardly changes."""
    small = np.random.default_rng(seed).integers(30, 226, (4, 5, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC))


COLOUR = smooth()
GREY = COLOUR[..., 1].copy()


def saved(picture: Image.Image | Pixels, form: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    picture = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    picture.save(stream, form, **options)
    return stream.getvalue()


def png(
    kind: int,
    bits: int,
    rows: bytes,
    size: tuple[int, int] = (WIDTH, HEIGHT),
    passes: int = 0,
    **chunks: bytes,
) -> bytes:
    """A PNG, made without Pillow. kind: 0 grey, 2 colour, 3 palette, 4 grey and alpha, 6 colour and alpha.
    passes: 1 for interlaced rows."""

    def chunk(name: bytes, content: bytes) -> bytes:
        whole = name + content
        return struct.pack(">I", len(content)) + whole + struct.pack(">I", zlib.crc32(whole))

    head = struct.pack(">IIBBBBB", *size, bits, kind, 0, 0, passes)
    parts = [(b"IHDR", head), *((name.encode(), c) for name, c in chunks.items())]
    parts += [(b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


def lines(values: NDArray[Any]) -> bytes:
    """The rows of a PNG, each without a filter."""
    return b"".join(b"\0" + line.astype(values.dtype.newbyteorder(">")).tobytes() for line in values)


def album_of(folder: Path, files: Mapping[str, bytes]) -> Path:
    """A folder of two classes, whose class ``b`` holds two pictures more."""
    for name, content in files.items():
        (folder / "a").mkdir(parents=True, exist_ok=True)
        (folder / "a" / name).write_bytes(content)
    (folder / "b").mkdir()
    for i in range(2):
        (folder / "b" / f"{i}.png").write_bytes(saved(smooth(seed=50 + i), "PNG"))
    return folder


def pixels_of(data: Data) -> dict[str, NDArray[np.int64]]:
    """``[H, W, C]`` of each file of a data set that was loaded with ``normalise=False``."""
    return {
        data.file_names[row].split("/")[1]: np.rint(x.numpy() * 255)
        .astype(np.int64)
        .reshape(data.item_shape)
        .transpose(1, 2, 0)
        for rows in data.splits.values()
        for x, row in zip(rows.x, rows.index.tolist(), strict=True)
    }


# ---- kinds of files


def over_white(colour: Pixels, alpha: Pixels) -> NDArray[Any]:
    share = alpha[..., None] / 255
    return np.rint(colour * share + 255 * (1 - share))


def kinds_of_files() -> dict[str, tuple[bytes, NDArray[Any], int]]:
    """``{name: (content, the pixels that it shows, by how much they may differ)}``."""
    grey3 = np.repeat(GREY[..., None], 3, axis=2)
    alpha = np.linspace(0, 255, HEIGHT * WIDTH).astype(np.uint8).reshape(HEIGHT, WIDTH)
    low = RNG.integers(0, 256, COLOUR.shape).astype(np.uint16)
    palette = RNG.integers(0, 256, (16, 3), dtype=np.uint8)
    index = RNG.integers(0, 16, (HEIGHT, WIDTH), dtype=np.uint8)
    clear = np.where(index[..., None] == 3, 255, palette[index])
    paletted = Image.fromarray(index, "P")
    paletted.putpalette(palette.tobytes())
    bits = GREY > 120
    black = np.where(bits, 255, 0)[..., None].repeat(3, axis=2)
    other = Image.fromarray(smooth(seed=9))
    lab = ImageCms.applyTransform(
        Image.fromarray(COLOUR),
        ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB"),
    )
    inks = [*(255 - COLOUR[..., c] for c in range(3)), np.zeros_like(GREY)]
    cmyk = Image.merge("CMYK", [Image.fromarray(ink) for ink in inks])
    first = {"save_all": True, "append_images": [other]}
    red_clear = np.where((COLOUR[0, 0] == COLOUR).all(axis=2, keepdims=True), 255, COLOUR)
    return {
        "rgb.png": (png(2, 8, lines(COLOUR)), COLOUR, 0),
        "rgb16.png": (png(2, 16, lines(COLOUR.astype(np.uint16) * 256 + low)), COLOUR, 0),
        "grey.png": (png(0, 8, lines(GREY)), grey3, 0),
        "grey16.png": (png(0, 16, lines(GREY.astype(np.uint16) * 256 + low[..., 0])), grey3, 0),
        "bits.png": (png(0, 1, lines(np.packbits(bits, axis=1))), black, 0),
        "palette.png": (png(3, 8, lines(index), PLTE=palette.tobytes()), palette[index], 0),
        "palette_clear.png": (
            png(3, 8, lines(index), PLTE=palette.tobytes(), tRNS=b"\xff\xff\xff\0"), clear, 0,
        ),
        "rgb_clear.png": (
            png(2, 8, lines(COLOUR), tRNS=struct.pack(">HHH", *COLOUR[0, 0].tolist())), red_clear, 0,
        ),
        "grey16_clear.png": (
            png(0, 16, lines(index.astype(np.uint16) * 4096), tRNS=struct.pack(">H", 3 * 4096)),
            np.where(index == 3, 255, index * 16)[..., None].repeat(3, axis=2), 0,
        ),
        "alpha.png": (png(6, 8, lines(np.dstack([COLOUR, alpha]))), over_white(COLOUR, alpha), 1),
        "grey_alpha.png": (png(4, 8, lines(np.dstack([GREY, alpha]))), over_white(grey3, alpha), 1),
        "rgb.bmp": (saved(COLOUR, "BMP"), COLOUR, 0),
        "palette.bmp": (saved(paletted, "BMP"), palette[index], 0),
        "palette.gif": (saved(paletted, "GIF"), palette[index], 0),
        "moving.gif": (
            saved(paletted, "GIF", save_all=True, append_images=[paletted.rotate(180)]), palette[index], 0,
        ),
        "rgb.webp": (saved(COLOUR, "WEBP", lossless=True), COLOUR, 0),
        "moving.webp": (saved(COLOUR, "WEBP", lossless=True, **first), COLOUR, 0),
        "alpha.webp": (
            saved(np.dstack([COLOUR, alpha]), "WEBP", lossless=True, exact=True),
            over_white(COLOUR, alpha), 1,
        ),
        "rgb.tif": (saved(COLOUR, "TIFF"), COLOUR, 0),
        "packed.tiff": (saved(COLOUR, "TIFF", compression="tiff_lzw"), COLOUR, 0),
        "pages.tif": (saved(COLOUR, "TIFF", **first), COLOUR, 0),
        "grey16.tif": (saved(GREY.astype(np.uint16) * 256 + 77, "TIFF"), grey3, 0),
        "bits.tif": (saved(Image.fromarray(bits), "TIFF"), black, 0),
        "cmyk.tif": (saved(cmyk, "TIFF"), COLOUR, 0),
        "lab.tif": (saved(lab, "TIFF"), COLOUR, 14),
        "ycbcr.tif": (saved(Image.fromarray(COLOUR).convert("YCbCr"), "TIFF"), COLOUR, 4),
        "rgb.jpg": (saved(COLOUR, "JPEG", quality=95, subsampling=0), COLOUR, 8),
        "grey.jpeg": (saved(GREY, "JPEG", quality=95), grey3, 8),
        "cmyk.jpg": (saved(cmyk, "JPEG", quality=95), COLOUR, 12),
        "two.jpg": (saved(COLOUR, "MPO", quality=95, subsampling=0, **first), COLOUR, 8),
    }  # fmt: skip


def test_every_kind_of_file_becomes_the_pixels_that_it_shows(tmp_path: Path) -> None:
    files = kinds_of_files()
    folder = album_of(tmp_path / "p", {name: content for name, (content, _, _) in files.items()})
    data = load(folder, normalise=False, duplicates="ignore")
    assert any(note.startswith("Grey pictures among") and "8 of 32" in note for note in data.notes)
    assert any("several frames" in note and "a/moving.gif" in note for note in data.notes)
    found = pixels_of(data)
    for name, (_content, shown, tolerance) in files.items():
        assert np.abs(found[name] - shown).max() <= tolerance, (name, np.abs(found[name] - shown).max())


def test_files_that_are_all_grey_stay_grey(tmp_path: Path) -> None:
    alpha = np.full_like(GREY, 255)
    files = {
        "a.png": saved(GREY, "PNG"),
        "b.png": png(4, 8, lines(np.dstack([GREY, alpha]))),
        "c.png": png(0, 16, lines(GREY.astype(np.uint16) * 256)),
        "d.gif": saved(GREY, "GIF"),  # with a palette of grey
        "e.jpg": saved(GREY, "JPEG", quality=95),
        "f.tif": saved(GREY, "TIFF"),
    }
    folder = album_of(tmp_path / "p", files)
    for i in range(2):
        (folder / "b" / f"{i}.png").write_bytes(saved(smooth(seed=50 + i)[..., 0], "PNG"))
    data = load(folder, normalise=False, duplicates="ignore")
    assert data.item_shape == (1, HEIGHT, WIDTH)
    for name, pixel in pixels_of(data).items():
        if name in files:
            assert np.abs(pixel[..., 0] - GREY).max() <= (8 if name.endswith("jpg") else 0), name
    colour, grey = (decode(saved(COLOUR, "PNG"), (c, HEIGHT, WIDTH), "crop")[1] for c in (3, 1))
    assert colour is not None
    luminance = np.tensordot([0.299, 0.587, 0.114], colour, axes=1)
    assert np.abs(grey[0] - luminance).max() <= 1


UPRIGHT = {  # of the EXIF standard: which edges of the picture the first row and the first column are
    1: lambda x: x,  # top, left
    2: lambda x: x[:, ::-1],  # top, right
    3: lambda x: x[::-1, ::-1],  # bottom, right
    4: lambda x: x[::-1],  # bottom, left
    5: lambda x: x.swapaxes(0, 1),  # left, top
    6: lambda x: x.swapaxes(0, 1)[:, ::-1],  # right, top
    7: lambda x: x.swapaxes(0, 1)[::-1, ::-1],  # right, bottom
    8: lambda x: x.swapaxes(0, 1)[::-1],  # left, bottom
}


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "TIFF"])
def test_pictures_are_turned_as_their_orientation_says(form: str) -> None:
    options = {"JPEG": {"quality": 95, "subsampling": 0}, "WEBP": {"lossless": True}}.get(form, {})
    for orientation in (*UPRIGHT, 99):
        exif = Image.Exif()
        exif[0x0112] = orientation
        content = saved(COLOUR, form, exif=exif, **options)
        shown = UPRIGHT.get(orientation, UPRIGHT[1])(COLOUR)
        height, width = shown.shape[:2]
        described, pixel_CHW = decode(content, (3, height, width), "crop")
        assert (described.height, described.width) == (height, width), orientation
        difference = np.abs(pixel_CHW.transpose(1, 2, 0).astype(int) - shown).max()
        assert difference <= (8 if form == "JPEG" else 0), orientation


def test_damaged_metadata_keeps_no_picture_out() -> None:
    content = saved(COLOUR, "JPEG", quality=95, subsampling=0, exif=b"Exif\0\0no metadata at all")
    pixel_CHW = decode(content, (3, HEIGHT, WIDTH), "crop")[1]
    assert np.abs(pixel_CHW.transpose(1, 2, 0).astype(int) - COLOUR).max() <= 12


# ---- sizes


SIDES = st.integers(1, 40)


def as_pillow_does(picture: Image.Image, size: tuple[int, int], fit: Fit) -> Image.Image:
    if fit == "crop":
        return ImageOps.fit(picture, size, Image.Resampling.BILINEAR)
    if fit == "stretch":
        return picture.resize(size, Image.Resampling.BILINEAR)
    whole = Image.new(picture.mode, size)
    inner = ImageOps.contain(picture, size, Image.Resampling.BILINEAR)
    whole.paste(inner, ((size[0] - inner.width) // 2, (size[1] - inner.height) // 2))
    return whole


@settings(max_examples=60, deadline=None)
@given(SIDES, SIDES, SIDES, SIDES, st.sampled_from(["crop", "pad", "stretch"]), st.booleans())
def test_pictures_are_brought_to_a_size_as_pillow_does_it(
    own_height: int, own_width: int, height: int, width: int, fit: Fit, grey: bool
) -> None:
    pixel = np.random.default_rng(own_height).integers(0, 256, (own_height, own_width, 3), dtype=np.uint8)
    picture = Image.fromarray(pixel[..., 0] if grey else pixel)
    shape = (1 if grey else 3, height, width)
    pixel_CHW = decode(saved(picture, "PNG"), shape, fit)[1]
    wanted = np.asarray(as_pillow_does(picture, (width, height), fit)).reshape(height, width, -1)
    assert np.abs(pixel_CHW.transpose(1, 2, 0).astype(int) - wanted).max() <= 1


@pytest.mark.parametrize("fit", ["crop", "pad", "stretch"])
@pytest.mark.parametrize("turned", [1, 6])
def test_a_large_jpeg_is_decoded_smaller_with_hardly_another_result(fit: Fit, turned: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = turned
    content = saved(smooth(487, 650), "JPEG", quality=90, exif=exif)
    with Image.open(io.BytesIO(content)) as picture:
        whole = ImageOps.exif_transpose(picture.convert("RGB"))
    for size in ((32, 32), (40, 21)):
        pixel_CHW = decode(content, (3, size[1], size[0]), fit)[1]
        difference = np.abs(pixel_CHW.transpose(1, 2, 0) - np.asarray(as_pillow_does(whole, size, fit), int))
        assert difference.max() <= 16  # at a few edges
        assert difference.mean() <= 2


# ---- files that are no pictures, or not whole


def damaged(content: bytes, seed: int) -> list[bytes]:
    """The content with a bit turned, a stretch of zeros, without its end or a part: several of each."""
    r, whole = np.random.default_rng(seed), []
    for place in r.integers(8, len(content), 10).tolist():
        turned = bytes([content[place] ^ 1 << int(r.integers(8))])
        whole += [content[:place] + turned + content[place + 1 :], content[:place]]
        whole += [content[:place] + bytes(9) + content[place + 9 :], content[:place] + content[place + 5 :]]
    return [*whole, content[:-1], content[:-12]]


def refused_by_pillow(content: bytes) -> bool:
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as picture:
            picture.load()
    except Exception:
        return True
    return False


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("seed", "kind"), list(enumerate(kinds_of_files())))
def test_what_pillow_refuses_is_refused_and_of_the_rest_a_script_sees_the_same(
    seed: int, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"SHAPE": (3, HEIGHT, WIDTH), "CROPS": True, "PADS": False}.items():
        monkeypatch.setattr(program_data, name, value)
    counts = [0, 0]
    for content in damaged(kinds_of_files()[kind][0], seed):
        (tmp_path / kind).write_bytes(content)
        refused, pixel_CHW = refused_by_pillow(content), decoded(content)
        counts[refused] += 1
        if refused:
            assert pixel_CHW is None
            with pytest.raises(SystemExit, match=kind):
                program_data.picture(tmp_path / kind)  # of an exported script
        elif pixel_CHW is not None:
            assert (program_data.picture(tmp_path / kind) == np.ravel(pixel_CHW)).all()
    assert counts[True]


def decoded(content: bytes, shape: tuple[int, int, int] = (3, HEIGHT, WIDTH)) -> Pixels | None:
    try:
        return decode(content, shape, "crop")[1]
    except UnreadablePictureError:
        return None


def bad_files() -> dict[str, tuple[bytes, str]]:
    """``{name: (content, a part of the reason)}``."""
    jpeg = saved(smooth(200, 200), "JPEG", quality=90)
    tiff = bytearray(saved(COLOUR, "TIFF"))
    width = tiff.find(struct.pack("<HHI", 256, 4, 1)) + 8
    tiff[width : width + 4] = struct.pack("<I", 4000)  # more than its strips hold
    gif = bytearray(saved(COLOUR, "GIF"))
    gif[6:10] = struct.pack("<HH", 65_000, 65_000)
    bmp = struct.pack("<2sIHHIIiiHHIIIIII", b"BM", 54, 0, 0, 54, 40, 30_000, 30_000, 1, 24, 0, 0, 0, 0, 0, 0)
    return {
        "bomb.png": (png(0, 1, b"\0" * 100, (30_000, 30_000)), "pixels"),
        "less.png": (png(0, 1, b"\0" * 100, (11_000, 10_000)), "11"),
        "least.png": (png(0, 1, b"\0" * 100, (9_001, 9_001)), "9"),
        "bomb.bmp": (bmp, "pixels"),
        "bomb.gif": (bytes(gif), "pixels"),
        "lies.tif": (bytes(tiff), "cut off"),
        "cut.jpg": (jpeg[: len(jpeg) // 2], "cut off"),
        "cut.png": (saved(RNG.integers(0, 256, (50, 50), dtype=np.uint8), "PNG")[:900], "cut off"),
        "text.png": (b"no picture", "no picture"),
        "empty.png": (b"", "empty"),
        "fractions.tif": (saved(GREY.astype(np.float32), "TIFF"), "fractions"),
        "deep.tif": (saved(Image.fromarray(GREY.astype(np.int32) * 70_000), "TIFF"), "16 bits"),
    }


def test_bad_files_are_named_with_the_reason_and_left_out_on_request(tmp_path: Path) -> None:
    files = bad_files()
    good = {f"{i}.png": saved(smooth(seed=i), "PNG") for i in range(4)}
    folder = album_of(tmp_path / "p", good | {name: content for name, (content, _) in files.items()})
    for name, (_content, reason) in files.items():  # each alone
        for other in files:
            (folder / "a" / other).unlink(missing_ok=True)
        (folder / "a" / name).write_bytes(files[name][0])
        refused = refusal_of(load, folder, image_size=(HEIGHT, WIDTH))
        assert refused.rule == "pictures_bad"
        assert f"a/{name}: " in refused.message
        assert reason in refused.message
        assert "\n" not in refused.message
        assert "skip_bad" in refused.hint
    for name, (content, _reason) in files.items():
        (folder / "a" / name).write_bytes(content)
    assert "12 of 18" in str(refusal_of(load, folder, skip_bad=11, image_size=(HEIGHT, WIDTH)))
    data = load(folder, skip_bad=12, normalise=False, image_size=(HEIGHT, WIDTH))
    assert any("12 (a/bomb.bmp: " in note for note in data.notes)
    found = pixels_of(data)
    assert set(found) == {*good, "0.png", "1.png"}
    assert sum(len(rows) for rows in data.splits.values()) == 6


def test_a_file_that_goes_or_can_not_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = album_of(tmp_path / "p", {f"{i}.png": saved(smooth(seed=i), "PNG") for i in range(4)})

    def opened(path: str, *more: Any, **options: Any) -> Any:
        if path.endswith("a/1.png"):
            Path(path).unlink(missing_ok=True)  # by another process, after it was listed
        if path.endswith("a/2.png"):
            raise PermissionError(13, "Permission denied")
        return open(path, *more, **options)

    monkeypatch.setattr(album, "open", opened, raising=False)
    refused = refusal_of(load, folder)
    assert refused.rule == "pictures_bad"
    assert "a/1.png: it can't be read: No such file" in refused.message
    assert "a/2.png: it can't be read: Permission denied" in refused.message
    data = load(folder, skip_bad=1)  # the first one isn't listed any more
    assert sum(len(rows) for rows in data.splits.values()) == 4


def test_a_folder_that_can_not_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = album_of(tmp_path / "p", {"1.png": saved(COLOUR, "PNG")})

    def scandir(path: str | int) -> Any:
        if isinstance(path, str) and path.rstrip("/").endswith("/b"):
            raise PermissionError(13, "Permission denied")
        return real(path)

    real = os.scandir
    monkeypatch.setattr(os, "scandir", scandir)
    with pytest.raises(TreinoError, match=r"p/b.*Permission denied") as refused:
        load(folder)
    assert (refused.value.rule, refused.value.status) == ("folder_unreadable", 1)


def test_a_file_larger_than_a_gigabyte_is_not_read(tmp_path: Path) -> None:
    folder = album_of(tmp_path / "p", {f"{i}.png": saved(smooth(seed=i), "PNG") for i in range(3)})
    with (folder / "a" / "0.png").open("r+b") as file:
        file.truncate(archives.MOST_BYTES + 1)  # takes no room on disk
    assert "a/0.png: it can't be read: File too large" in str(refusal_of(load, folder))
