"""Folders of photographs: their first preparation against Pillow, an epoch against a DataLoader and torch.

The files are JPEGs of 128 pixels, cut at random out of the two photographs that come with scikit-learn.
"""

import io
import os
import random
import shutil
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from sklearn.datasets import load_sample_images
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

import treino as tr
from benchmarks.result import Result, Table
from benchmarks.timing import Found, Spent, Work, budget, interleaved, ratio, wall
from treino.data import load
from treino.engine.nets import CNN

FILES, SIDE = 10_000, 128
PREPARATION = 1.2  # the most that the first preparation may take, of the time of decoding alone
EPOCH = {32: 4.0, 64: 1.5}  # how many times as long an epoch takes others, by the side of the pictures
NET, BATCH, WORKERS, SHIFT = tr.cnn(16, 32), 128, 2, {32: 1, 64: 2}


def run(quick: bool) -> Result:
    files, rounds = (200, 1) if quick else (FILES, 5)
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        photographs = Path(folder) / "photographs"
        make_photographs(photographs, files)
        preparation = _preparation(photographs, Path(folder) / "cache", rounds, figures)
        epochs = [_epoch(photographs, Path(folder) / "cache", side, rounds, figures) for side in EPOCH]
    return Result(
        (
            Table(
                f"First preparation of {files:,} JPEGs of {SIDE} pixels, for pictures of 64",
                ("treino, s", "Pillow decodes, s", "ratio", "goal, kept"),
                (preparation,),
            ),
            Table(
                f"An epoch with shifts, batch {BATCH}; how many times as long others take",
                (
                    "pixels", "treino, s", f"files, {WORKERS} workers, eager", "goal, kept",
                    f"pixels in memory, {WORKERS} workers, eager",
                ),
                tuple(epochs),
            ),
        ),
        f"Seconds on the wall, medians of {rounds} interleaved rounds, {os.cpu_count()} cores. Preparation: "
        "listing, reading, SHA-256, decoding, resizing, the search for almost equal pictures and the file of "
        "pixels; Pillow: reading and decoding in a thread for each core. An epoch of the training rows: two "
        f"convolutions of 16 and 32 channels; eager with `Adam(fused=True)` and {WORKERS} lasting processes, "
        "whose items are the files, decoded, resized and shifted, or pixels that were decoded before.",
        ("GPUs.", "torchvision, which has no wheel for this torch here."),
        ("https://docs.pytorch.org/tutorials/beginner/data_loading_tutorial.html",),
        figures,
    )  # fmt: skip


def make_photographs(folder: Path, files: int) -> None:
    """Write this many JPEGs into two folders, one for each photograph that they are cut out of."""
    draw = random.Random(0)
    photographs = [Image.fromarray(pixels) for pixels in load_sample_images().images]
    for name in ("china", "flower"):
        (folder / name).mkdir(parents=True)
    for number in range(files):
        photograph = photographs[number % 2]
        side = draw.randrange(SIDE, 2 * SIDE)
        left, top = draw.randrange(photograph.width - side), draw.randrange(photograph.height - side)
        part = photograph.crop((left, top, left + side, top + side)).resize((SIDE, SIDE))
        part.save(folder / ("china", "flower")[number % 2] / f"{number:05}.jpg", quality=90)


# ---- preparation


def _preparation(photographs: Path, cache: Path, rounds: int, figures: dict[str, float]) -> tuple[str, ...]:
    names = sorted(photographs.glob("*/*.jpg"))

    def pillow() -> None:
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(_decoded, names, chunksize=32))

    def treino() -> None:
        shutil.rmtree(cache, ignore_errors=True)
        load(photographs, cache=cache, image_size=(64, 64), max_memory="1MB")

    found = interleaved({"treino": _timed(treino), "pillow": _timed(pillow)}, rounds)
    value = ratio(found, "treino", "pillow")
    figures["preparation"] = round(value, 2)
    seconds = (f"{wall(found, name):.2f}" for name in ("treino", "pillow"))
    return (*seconds, f"{value:.2f}", " ".join(budget(value, PREPARATION, at_most=True)))


def _decoded(path: Path) -> None:
    with Image.open(io.BytesIO(path.read_bytes())) as picture:
        picture.load()


def _timed(some: Callable[[], object]) -> Work:
    def work() -> Spent:
        begin, processor = time.perf_counter(), time.process_time()
        some()
        return Spent(time.perf_counter() - begin, time.process_time() - processor)

    return work


# ---- an epoch


class Pictures(Dataset[tuple[Tensor, int]]):
    """Files, or their pixels, as a careful tutorial has them: resized, shifted at random, standardised."""

    def __init__(self, paths: list[Path], side: int, in_memory: bool) -> None:
        self.paths, self.side = paths, side
        self.pixels = [self._pixels(path) for path in paths] if in_memory else None

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, row: int) -> tuple[Tensor, int]:
        path = self.paths[row]
        pixel_CHW = self._pixels(path) if self.pixels is None else self.pixels[row]
        most = SHIFT[self.side]
        shift = tuple(int(n) for n in torch.randint(-most, most + 1, (2,)))
        x_CHW = torch.from_numpy(pixel_CHW).roll(shift, (1, 2)).float().div_(255).sub_(0.45).div_(0.25)
        return x_CHW, int(path.parent.name == "flower")

    def _pixels(self, path: Path) -> np.ndarray:
        with Image.open(path) as picture:
            small = picture.convert("RGB").resize((self.side, self.side), Image.Resampling.BILINEAR)
        return np.asarray(small).transpose(2, 0, 1).copy()


def _epoch(
    photographs: Path, cache: Path, side: int, rounds: int, figures: dict[str, float]
) -> tuple[str, ...]:
    data = load(photographs, cache=cache, image_size=(side, side))
    steps = -(-len(data.train) // BATCH)
    training = tr.train(
        data, NET, batch_size=BATCH, steps=10_000_000, every=1_000_000, schedule="constant", augment="shift"
    )
    paths = [photographs / data.file_names[row] for row in data.train.index.tolist()]
    works: dict[str, Work] = {
        "treino": _some_steps(lambda: len(training.advance(0.5).loss_SP), steps),
        "files": _timed(_eager(Pictures(paths, side, in_memory=False))),
        "memory": _timed(_eager(Pictures(paths, side, in_memory=True))),
    }
    found: Found = interleaved(works, rounds)
    row = [f"{side} × {side}", f"{wall(found, 'treino'):.2f}"]
    for name in ("files", "memory"):
        value = ratio(found, name, "treino")
        figures[f"epoch_{side}_{name}"] = round(value, 2)
        row.append(f"{value:.1f} ×")
        if name == "files":
            row.append(" ".join(budget(value, EPOCH[side], at_most=False)))
    return tuple(row)


def _some_steps(advance: Callable[[], int], steps: int) -> Work:
    """The time of an epoch of so many steps, from those of half a second."""

    def work() -> Spent:
        begin, processor = time.perf_counter(), time.process_time()
        share = advance() / steps
        return Spent((time.perf_counter() - begin) / share, (time.process_time() - processor) / share)

    return work


def _eager(pictures: Pictures) -> Callable[[], None]:
    """A function that trains for one epoch."""
    loader = DataLoader(
        pictures, BATCH, shuffle=True, num_workers=WORKERS, persistent_workers=True, prefetch_factor=4
    )
    net: CNN = NET
    module = net.module((3, pictures.side, pictures.side), 2)
    optimizer = torch.optim.Adam(module.parameters(), 1e-3, fused=True)
    loss = nn.CrossEntropyLoss()

    def epoch() -> None:
        for x, y in loader:
            optimizer.zero_grad(set_to_none=True)
            loss(module(x), y).backward()
            optimizer.step()

    return epoch
