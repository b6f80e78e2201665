"""Defaults for pictures: test rows, beside the same network in eager torch, patches and boosted trees."""

import json
import math
import os
import time
from contextlib import suppress
from pathlib import Path
from statistics import mean, variance
from tempfile import TemporaryDirectory
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
from treino.fit_events import FitRequest, fit_events
from treino.folders.data_source import load_data
from treino.folders.documents.reading import read_run_spec
from treino.inspection.baselines import baselines
from treino.settings.spec import read_settings
from treino.training.loop import JobClose, JobEvent, last_event
from treino.training.train import RunJob

SEEDS = 3
KEPT = "TREINO_KEPT"  # names a file that keeps each row, from which a stopped run goes on
GOAL_1000 = 0.978  # of MNIST's test rows, after its first 1,000 training rows
TREES_ROWS, TREES_ROUNDS, TREES_SIDE = 2_000, 50, 32
ERRORS = 2.0  # standard errors of a difference that may be chance
METHODS = ("treino", "eager", "patches", "trees")
PART = 500  # rows that a network answers at a time


def run(quick: bool) -> Result:
    names = ["digits_8px"] if quick else [n for n in PROBLEMS if n not in NEED_MNIST or mnist_files.there()]
    wanted = [(name, seed) for seed in range(1 if quick else SEEDS) for name in names]
    settings = {"epochs": 2} if quick else {}
    there: dict[tuple[str, int], dict[str, Any]] = {}
    kept = Path(os.environ[KEPT]) if KEPT in os.environ else None
    if kept is not None and kept.exists():
        there = {(row["name"], row["seed"]): row for row in map(json.loads, kept.read_text().splitlines())}
    with suppress(KeyboardInterrupt), threads(1):  # after Ctrl-C: what there is
        for name, seed in wanted:
            if (name, seed) not in there:
                there[name, seed] = row = _measured(problem(name), seed, settings)
                if kept is not None:
                    with kept.open("a") as file:
                        file.write(json.dumps(row) + "\n")
    figures: dict[str, float] = {}
    done = {
        name: [there[name, seed] for n, seed in wanted if n == name and (n, seed) in there] for name in names
    }
    rows = [_row(name, some, figures) for name, some in done.items() if some]
    missing = {
        name: ", ".join(str(seed) for n, seed in wanted if n == name and (n, seed) not in there)
        for name in names
    }
    untried = "; ".join(f"{name}, seeds {seeds}" for name, seeds in missing.items() if seeds)
    columns = (
        "problem", "rows", "seeds", "channels + units", "rate", "epochs", "begun again", *METHODS,
        "not lower than eager", "goal, kept", "treino, s", "eager, s",
    )  # fmt: skip
    return Result(
        (Table("The defaults for pictures", columns, tuple(rows)),),
        "Shares of test rows that are right, means over seeds of the split (15 % of the rows validate) and "
        "of the first weights, and processor seconds of a training with its evaluations, one thread. "
        "Eager: the same layers, rows, batches, rates, loss and length with Adam(fused=True) and OneCycleLR, "
        "pictures moved as far, and the weights of the best epoch on validation rows. Not lower: by at most "
        f"{ERRORS:g} standard errors of the difference between the means: out of the seeds' spread, or the "
        "number of test rows if that says more. Begun again: trainings that went back with a lower rate, "
        "for their loss was that of a constant output. Patches: the baseline that a run prints. Trees: "
        f"scikit-learn's HistGradientBoostingClassifier on pixels, of at most {TREES_ROWS:,} rows, in "
        f"{TREES_ROUNDS} rounds, pictures of more than {TREES_SIDE} pixels made smaller. "
        "benchmarks/picture_problems.py makes the problems. The rate and the length were chosen by other "
        "rows of the shapes and the textures alone; earlier figures on test rows at this rate (log, "
        "2026-11-26) were known then. That the last weights are kept was chosen by other rows of all but "
        "MNIST's 10,000 and the colour of 64 pixels, when the test rows of one or two seeds had been seen "
        "with the weights of the best epoch.",
        (
            "Pictures as large as photographs, which no package here holds.",
            *([f"For lack of time: {untried}."] if untried else []),
        ),
        ("https://arxiv.org/abs/1708.07120 (one cycle)",),
        figures,
    )


def _measured(p: PictureProblem, seed: int, settings: dict[str, int]) -> dict[str, Any]:
    """One seed's shares and seconds. JSON-able."""
    asked = {"seed": seed, "threads": 1} | settings
    data = load_data({"train": p.train, "test": p.test}, read_settings(asked))
    seconds, accuracy = dict[str, float](), dict[str, float]()
    begin = time.process_time()

    def watch(event: JobEvent) -> None:
        if isinstance(event, JobClose):
            seconds["treino"] = time.process_time() - begin

    with TemporaryDirectory() as folder:
        events, _rates = fit_events(FitRequest(data, asked, None, parent=folder, lean=True))
        job = last_event(events, watch).job
        assert isinstance(job, RunJob)
        training, net = job.training, job.training.model.net
        assert isinstance(net, CNN)
        again = len(read_run_spec(job.folder).segments or (0,)) - 1
    begin = time.process_time()
    module = eager(data, net, training.config)
    seconds["eager"] = time.process_time() - begin
    for name, trained in (("treino", training.net()), ("eager", module)):
        accuracy[name] = _share(_outputs(trained, pictures(data.test.x, data)), data.test.y)
    if seed == 0:
        accuracy["patches"] = baselines(data).metrics["patches"]["accuracy"]
        accuracy["trees"] = trees(data)
    layers = [",".join(map(str, units)) or "–" for units in (net.channels, net.hidden)]
    shared = training.config.shared
    facts: dict[str, Any] = {"rows": len(p.train), "tests": len(data.test), "again": again, "lr": shared.lr}
    facts |= {"net": " + ".join(layers), "epochs": shared.epochs}
    return {"name": p.name, "seed": seed, "accuracy": accuracy, "seconds": seconds} | facts


def _row(name: str, seeds: list[dict[str, Any]], figures: dict[str, float]) -> tuple[str, ...]:
    first = seeds[0]
    shares = {method: [s["accuracy"][method] for s in seeds if method in s["accuracy"]] for method in METHODS}
    means = {method: mean(values) for method, values in shares.items()}
    seconds = {method: mean(s["seconds"][method] for s in seeds) for method in first["seconds"]}
    figures |= {f"{name}_{method}": round(value, 4) for method, value in means.items()}
    figures |= {f"{name}_{method}_seconds": round(value, 1) for method, value in seconds.items()}
    error = math.hypot(*(_error(shares[method], first["tests"]) for method in ("treino", "eager")))
    return (
        name,
        f"{first['rows']:,}",
        str(len(seeds)),
        first["net"],
        f"{first['lr']:g}",
        str(first["epochs"]),
        str(sum(s["again"] > 0 for s in seeds)),
        *(f"{means[method]:.2%}" for method in METHODS),
        "yes" if means["treino"] >= means["eager"] - ERRORS * error else "no",
        " ".join(budget(means["treino"], GOAL_1000, at_most=False)) if name == "mnist_1000" else "–",
        *(f"{value:.1f}" for value in seconds.values()),
    )


def _error(shares: list[float], tests: int) -> float:
    """The standard error of a mean share: out of the seeds' spread, or of the test rows if it is larger."""
    spread = variance(shares) if len(shares) > 1 else 0.0
    return math.sqrt(max(spread, mean(shares) * (1 - mean(shares)) / tests) / len(shares))


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
