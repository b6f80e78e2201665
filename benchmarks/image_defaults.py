"""Defaults for pictures: test rows, beside the same network in eager torch, patches and boosted trees."""

import math
import time
from collections.abc import Sequence
from statistics import mean
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks import mnist_files
from benchmarks.picture_problems import NEED_MNIST, PROBLEMS, PictureProblem, problem
from benchmarks.result import Result, Table
from benchmarks.timing import budget, threads
from treino.data.dataset import Data
from treino.engine import CNN, TrainConfig
from treino.engine.augmentation import usual_shift
from treino.engine.nets import picture_shape
from treino.folders.data_source import load_data
from treino.inspection.baselines import baselines
from treino.settings.spec import read_settings
from treino.training.resolution import resolve

SEEDS = 3
GOAL_1000 = 0.97  # of MNIST's test rows, after its first 1,000 training rows
TREES_ROWS, TREES_ROUNDS, TREES_SIDE = 2_000, 50, 32
ERRORS = 2.0  # standard errors of a difference that may be chance
METHODS = ("treino", "eager", "patches", "trees")
PART = 500  # rows that a network answers at a time


def run(quick: bool) -> Result:
    names = ["digits_8px"] if quick else [n for n in PROBLEMS if n not in NEED_MNIST or mnist_files.there()]
    seeds = range(1 if quick else SEEDS)
    settings, figures = {"epochs": 2} if quick else {}, dict[str, float]()
    with threads(1):
        rows = [_row(problem(name), seeds, settings, figures) for name in names]
    columns = (
        "problem", "rows", "channels + units", "epochs", *METHODS, "not lower than eager", "goal, kept",
        "treino, s", "eager, s",
    )  # fmt: skip
    return Result(
        (Table("The defaults for pictures", columns, tuple(rows)),),
        f"Shares of test rows that are right, means of {len(seeds)} seeds of the split (15 % of the rows "
        "validate) and of the first weights, and processor seconds of a training, one thread. Eager: the "
        "same layers, rows, batches, rates, loss and length with Adam(fused=True) and OneCycleLR, pictures "
        "moved as far, and the weights of the best epoch on validation rows. Not lower: by at most "
        f"{ERRORS:g} standard errors of the difference between two such shares. Patches: the baseline that a "
        "run prints. Trees: scikit-learn's HistGradientBoostingClassifier on pixels, of at most "
        f"{TREES_ROWS:,} rows, in {TREES_ROUNDS} rounds, pictures of more than {TREES_SIDE} pixels made "
        "smaller. benchmarks/picture_problems.py makes the problems; the defaults were chosen by other rows.",
        ("Pictures as large as photographs, which no package here holds.",),
        ("https://arxiv.org/abs/1708.07120 (one cycle)",),
        figures,
    )


def _row(
    p: PictureProblem, seeds: Sequence[int], settings: dict[str, int], figures: dict[str, float]
) -> tuple[str, ...]:
    accuracy: dict[str, list[float]] = {name: [] for name in METHODS}
    seconds: dict[str, list[float]] = {"treino": [], "eager": []}
    for seed in seeds:
        asked = read_settings({"seed": seed, "threads": 1} | settings)
        data = load_data({"train": p.train, "test": p.test}, asked)
        training = resolve(asked, data).training
        net, config = training.shared.net, training.config
        assert isinstance(net, CNN)
        begin = time.process_time()
        for _tick in training:
            pass
        seconds["treino"].append(time.process_time() - begin)
        begin = time.process_time()
        module = eager(data, net, config)
        seconds["eager"].append(time.process_time() - begin)
        for name, trained in (("treino", training.net()), ("eager", module)):
            accuracy[name].append(_share(_outputs(trained, pictures(data.test.x, data)), data.test.y))
        if seed == seeds[0]:
            accuracy["patches"].append(baselines(data).metrics["patches"]["accuracy"])
            accuracy["trees"].append(trees(data))
    means = {name: mean(values) for name, values in accuracy.items()}
    figures |= {f"{p.name}_{name}": round(value, 4) for name, value in means.items()}
    figures |= {f"{p.name}_{name}_seconds": round(mean(some), 1) for name, some in seconds.items()}
    share = means["eager"]
    least = share - ERRORS * math.sqrt(2 * share * (1 - share) / (len(data.test) * len(seeds)))
    return (
        p.name,
        f"{len(p.train):,}",
        f"{','.join(map(str, net.channels))} + {','.join(map(str, net.hidden)) or '–'}",
        str(config.shared.epochs),
        *(f"{means[name]:.2%}" for name in METHODS),
        "yes" if means["treino"] >= least else "no",
        " ".join(budget(means["treino"], GOAL_1000, at_most=False)) if p.name == "mnist_1000" else "–",
        *(f"{mean(some):.1f}" for some in seconds.values()),
    )


def pictures(x_ND: Tensor, data: Data) -> Tensor:
    """``[N, C, H, W]``."""
    return x_ND.view(-1, *picture_shape(data.item_shape))


def eager(data: Data, net: CNN, config: TrainConfig) -> nn.Module:
    """The network that a careful loop of eager torch trains with these settings."""
    s, shape = config.shared, picture_shape(data.item_shape)
    assert s.lr is not None
    assert s.epochs is not None
    assert isinstance(s.batch_size, int)
    x, y, held_x, held_y = (
        pictures(data.train.x, data), data.train.y, pictures(data.validation.x, data), data.validation.y
    )  # fmt: skip
    torch.manual_seed(s.seed)
    module = net.module(shape, len(data.classes))
    optimizer = torch.optim.Adam(module.parameters(), lr=s.lr, fused=True)
    rates = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, s.lr, s.epochs * -(-len(x) // s.batch_size), cycle_momentum=False
    )
    most, best, kept = usual_shift(shape), math.inf, dict[str, Any]()
    for _epoch in range(s.epochs):
        module.train()
        for row_B in torch.randperm(len(x)).split(s.batch_size):
            outputs = module(_moved(x[row_B], most))
            loss = F.cross_entropy(outputs, y[row_B], label_smoothing=s.label_smoothing)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            rates.step()
        outputs = _outputs(module, held_x)
        figure = float(F.cross_entropy(outputs, held_y, label_smoothing=s.label_smoothing))
        if figure < best:
            best, kept = figure, {name: t.clone() for name, t in module.state_dict().items()}
    module.load_state_dict(kept)
    return module


def _moved(x_BCHW: Tensor, most: int) -> Tensor:
    """The pictures, each moved by up to ``most`` pixels down or up and left or right; edges are repeated."""
    padded = F.pad(x_BCHW, (most,) * 4, mode="replicate")
    batch, channels, height, width = x_BCHW.shape
    down_B, right_B = torch.randint(2 * most + 1, (2, batch))
    row_BH = down_B[:, None] + torch.arange(height)
    column_BW = right_B[:, None] + torch.arange(width)
    return padded[
        torch.arange(batch)[:, None, None, None],
        torch.arange(channels)[:, None, None],
        row_BH[:, None, :, None],
        column_BW[:, None, None, :],
    ]


def trees(data: Data) -> float:
    """The share of test rows that boosted trees on pixels get right."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    def pixels(x_ND: Tensor) -> Any:
        x = pictures(x_ND, data)
        times = -(-min(x.shape[-2:]) // TREES_SIDE)
        return (F.avg_pool2d(x, times) if times > 1 else x).flatten(1).numpy()

    x, y = data.train.x[:TREES_ROWS], data.train.y[:TREES_ROWS]
    model = HistGradientBoostingClassifier(max_iter=TREES_ROUNDS, random_state=0).fit(pixels(x), y.numpy())
    return float(model.score(pixels(data.test.x), data.test.y.numpy()))


def _outputs(module: nn.Module, x: Tensor) -> Tensor:
    module.eval()
    with torch.no_grad():
        return torch.cat([module(part) for part in x.split(PART)])


def _share(output_NC: Tensor, y_N: Tensor) -> float:
    return float((output_NC.argmax(1) == y_N).double().mean())
