"""What averaging predictions over shifted views of each picture (--tta) brings."""

import tempfile
from statistics import mean

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.datasets import load_sample_images
from torch import Tensor
from torch.utils.data import TensorDataset

import treino as tr
from benchmarks.result import Result, Table
from treino.data.readers import idx
from treino.engine.ensemble import mean_output
from treino.inspection.outputs import PictureView, outputs, views_of

ROWS, TEST, SEEDS, EPOCHS = 1000, 3000, 2, 12
Pictures = tuple[Tensor, Tensor]


def mnist() -> tuple[Pictures, Pictures]:
    """60,000 and 10,000 pictures ``[N, 1, 28, 28]`` of bytes, with their classes."""
    pixels, label, _notes = idx.read_idx_set("mnist")
    x = torch.from_numpy(np.array(pixels, np.uint8)).reshape(-1, 1, 28, 28)
    y = torch.from_numpy(np.array(label)).long()
    return (x[:60_000], y[:60_000]), (x[60_000:], y[60_000:])


def on_photographs(x: Tensor, seed: int) -> Tensor:
    """``[N, 3, 32, 32]``: each digit in a colour of its own on a piece of a photograph."""
    r = np.random.default_rng(seed)
    photographs = load_sample_images().images
    pictures = np.empty((len(x), 32, 32, 3), np.uint8)
    for picture, digit in zip(pictures, x.numpy(), strict=True):
        photograph = photographs[r.integers(len(photographs))]
        top, left = r.integers(0, [n - 32 for n in photograph.shape[:2]])
        ink = np.zeros((32, 32, 1))
        down, right = r.integers(0, 5, 2)
        ink[down : down + 28, right : right + 28, 0] = digit[0] / 255
        picture[:] = (1 - ink) * photograph[top : top + 32, left : left + 32] + ink * r.integers(0, 256, 3)
    return torch.from_numpy(pictures).permute(0, 3, 1, 2).contiguous()


def run(quick: bool) -> Result:
    rows_of_training, tested, seeds, epochs = (100, 100, 1, 1) if quick else (ROWS, TEST, SEEDS, EPOCHS)
    (x, y), (x_test, y_test) = mnist()
    x_test, y_test = x_test[:tested], y_test[:tested]
    rows, figures = [], {}
    for name, shape in (("MNIST", (1, 28, 28)), ("MNIST in colour on photographs", (3, 32, 32))):
        four = views_of(shape, mirrored=False)
        far = max(view.down for view in four)
        views = [*four, *(PictureView(down, right) for down in (-far, far) for right in (-far, far))]
        for augment in ("none", "shift"):
            found: dict[int, list[tuple[float, float]]] = {1: [], 5: [], 9: []}
            for seed in range(seeds):
                at = torch.from_numpy(np.random.default_rng(seed).permutation(len(x))[:rows_of_training])
                train, test = x[at], x_test
                if shape[0] == 3:
                    train, test = on_photographs(train, seed), on_photographs(test, seed + 100)
                with tempfile.TemporaryDirectory() as folder:
                    trained = tr.fit(
                        TensorDataset(train, y[at]), "cnn", parent=folder, seed=seed, test=0.0,
                        epochs=epochs, augment=augment, lean=True,
                    )  # fmt: skip
                    output_VNC = torch.stack(
                        [
                            outputs(
                                trained.module, view.of(test / 255).flatten(1), item_shape=trained.item_shape
                            )
                            for view in views
                        ]
                    )
                for count, of in found.items():
                    output_NC = mean_output(output_VNC[:count], "cross_entropy")
                    right = (output_NC.argmax(1) == y_test).float().mean()
                    of.append((float(right), float(F.cross_entropy(output_NC, y_test))))
            cells = [
                f"{mean(a for a, _l in of):.2%}, {mean(loss for _a, loss in of):.4f}" for of in found.values()
            ]
            rows.append((name, augment, *cells))
            for count, of in found.items():
                figures[f"{name}, {augment}, {count}"] = round(mean(a for a, _loss in of), 4)
    table = Table(
        "Accuracy and log-loss on test pictures",
        ("pictures", "training moves them", "as they are", "and four shifts", "and eight shifts"),
        tuple(rows),
    )
    return Result(
        (table,),
        f"{ROWS:,} training rows, a CNN with {EPOCHS} epochs, {TEST:,} test rows; mean of {SEEDS} seeds, each"
        " with rows of its own. Probabilities are averaged. The shifts go as far as training's usually do.",
        figures=figures,
    )
