"""Sweeps: halving, mixed shapes, bookkeeping, memory, other tools with the same settings, and noise.

Seconds of the other tools are for the same 256 settings, one after another as one does there, in the same
process with the data in memory; scikit-learn's search draws and cuts by its own rules from the same ranges.
"""

import gc
import itertools
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from statistics import mean, median
from typing import Any

import torch
from torch import Tensor, nn

import treino as tr
from benchmarks.peers import network
from benchmarks.result import Result, Table
from benchmarks.timing import Spent, budget, threads
from treino.data.dataset import Data
from treino.search.samplers import random
from treino.search.space import read_space
from treino.workflows.sweep.drive import Advanced, Judging, sweeping
from treino.workflows.sweep.plan import whole_settings

SPACE = {"lr": "1e-4..1e-1:log", "weight_decay": "1e-6..1e-2:log"}
SHAPES = ("8", "16", "24", "32", "48", "64", "8,8", "16,8", "16,16", "32,16", "32,32", "64,16")
HIDDEN = (32, 16)
# networks, epochs, and rounds (of halving: seeds; of noise: sweeps)
FULL = {
    "halving": (256, 100, 7), "mixed": (768, 20, 3), "bookkeeping": (512, 300, 5), "tools": (256, 30, 3),
    "noise": (128, 30, 100),
}  # fmt: skip
QUICK = {
    "halving": (18, 20, 1), "mixed": (24, 4, 1), "bookkeeping": (16, 20, 1), "tools": (8, 3, 1),
    "noise": (12, 5, 2),
}  # fmt: skip


def run(quick: bool) -> Result:
    with threads(1), tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        place = Path(folder)
        figures: dict[str, Any] = {}
        tables = [part(quick, place, figures) for part in (_halving, _mixed, _bookkeeping, _tools, _noise)]
    return Result(
        tuple(tables),
        method=(
            "Whole sweeps with their folders on disk, without the judge's fresh seeds but in the table of "
            "noise; peers take turns; medians over rounds. The yardstick of bookkeeping is the bare engine."
        ),
        left_out=("Ray Tune, which needs a running cluster of its own.",),
        sources=(
            "scikit-learn: sklearn.model_selection.HalvingRandomSearchCV",
            "torch: https://docs.pytorch.org/tutorials/intermediate/ensembling.html",
            "Optuna: https://optuna.readthedocs.io",
        ),
        figures=figures,
    )


def _swept(place: Path, source: Any, space: Any, **asked: Any) -> dict[str, Any]:
    asked = {"fresh": 0, **asked}
    return list(sweeping(source, space, parent=place, **asked))[-1].document


def _halving(quick: bool, place: Path, figures: dict[str, Any]) -> Table:
    """The same settings with and without halving: steps, and how good the winner is on test rows."""
    members, epochs, seeds = (QUICK if quick else FULL)["halving"]
    rows = []
    for source in ("moons", "breast_cancer") if quick else ("moons", "breast_cancer", "digits", "spirals"):
        data = tr.load(source)
        found: dict[str, list[tuple[float, float]]] = {"none": [], "halving": []}
        for seed, strategy in itertools.product(range(seeds), found):
            d = _swept(
                place, data, SPACE, strategy=strategy, members=members, sampler_seed=seed,
                settings={"epochs": epochs, "hidden": HIDDEN},
            )  # fmt: skip
            found[strategy].append((d["model_steps"], d["best"]["test"]["accuracy"]))
        share = median(h[0] / n[0] for h, n in zip(found["halving"], found["none"], strict=True))
        gain = median(h[1] - n[1] for h, n in zip(found["halving"], found["none"], strict=True))
        figures[f"halving_{source}"] = {"steps": round(share, 3), "accuracy": round(gain, 4)}
        best = {name: f"{median(a for _s, a in of):.3f}" for name, of in found.items()}
        rows.append(
            (source, f"{share:.2f}", best["none"], best["halving"], *budget(share, 0.5, at_most=True))
        )
    heads = ("data", "model-steps, of none's", "test accuracy, none", "halving", "budget", "kept")
    return Table(f"Halving against none, {members} networks", heads, tuple(rows))


def _trained(place: Path, source: Any, space: Any, **asked: Any) -> tuple[Spent, list[tuple[int, int]]]:
    """A sweep up to its judge; -> what it took, and (model-steps, bytes of memory) on its way."""
    import psutil

    process, seen = psutil.Process(), []
    gc.collect()
    begin, used = time.perf_counter(), time.process_time()
    for event in sweeping(source, space, parent=place, fresh=0, strategy="none", **asked):
        if isinstance(event, Advanced):
            seen.append((event.progress.model_steps, process.memory_info().rss))
        if isinstance(event, Judging):
            break
    return Spent(time.perf_counter() - begin, time.process_time() - used), seen


def _mixed(quick: bool, place: Path, figures: dict[str, Any]) -> Table:
    """Twelve shapes in one sweep against as many networks of each shape alone."""
    members, epochs, rounds = (QUICK if quick else FULL)["mixed"]
    data, shapes = tr.load("digits"), SHAPES[::4] if quick else SHAPES

    def spent(some: tuple[str, ...]) -> Spent:
        space = ["lr=1e-4..1e-2:log", "hidden=" + "|".join(some)]
        return _trained(place, data, space, members=members, settings={"epochs": epochs, "patience": 0})[0]

    spent(shapes)  # what is imported, made and paced for the first time
    mixed, alone = [], []
    for _round in range(rounds):
        mixed.append(spent(shapes))
        alone.append([spent((shape,)) for shape in shapes])
    means = [Spent(mean(a.wall for a in of), mean(a.processor for a in of)) for of in alone]
    lost = median(m.wall / a.wall for m, a in zip(mixed, means, strict=True)) - 1
    processor = median(m.processor / a.processor for m, a in zip(mixed, means, strict=True)) - 1
    figures |= {"mixed_lost": round(lost, 3), "mixed_lost_processor": round(processor, 3)}
    seconds = [f"{median(of.wall for of in some):.1f}" for some in (means, mixed)]
    kept = budget(min(lost, processor), 0.25, at_most=True)
    row = (str(members), *seconds, f"{lost:.0%}", f"{processor:.0%}", *kept)
    heads = (
        "networks", "seconds, one shape (mean of the shapes)", "twelve shapes", "lost", "of processor time",
        "budget", "kept",
    )  # fmt: skip
    return Table("Twelve shapes in one sweep", heads, (row,))


def _bookkeeping(quick: bool, place: Path, figures: dict[str, Any]) -> Table:
    """A sweep up to its judge against the bare engine with the same members; and memory on its way."""
    members, epochs, rounds = (QUICK if quick else FULL)["bookkeeping"]
    data, configs = tr.load("wine"), random(read_space(SPACE, whole_settings()), 0).ask(members)
    asked = {"epochs": epochs, "hidden": HIDDEN, "patience": 0}

    def bare() -> Spent:
        gc.collect()
        begin, used = time.perf_counter(), time.process_time()
        training = tr.train(
            data, tr.mlp(*HIDDEN), seeds=[0] * members, lr=[c["lr"] for c in configs],
            weight_decay=[c["weight_decay"] for c in configs], epochs=epochs, every=500,
        )  # fmt: skip
        for _tick in training:
            pass
        return Spent(time.perf_counter() - begin, time.process_time() - used)

    shares, processor, grown = [], [], []
    for number in range(-1, rounds):
        one = bare()
        ours, seen = _trained(place, data, SPACE, members=members, sampler="random", settings=asked)
        if number < 0:
            continue
        shares.append(ours.wall / one.wall - 1)
        processor.append(ours.processor / one.processor - 1)
        early = next(rss for done, rss in seen if done >= 0.2 * seen[-1][0])
        grown.append((seen[-1][1] - early) / 1e6)
    share, used, more = median(shares), median(processor), median(grown)
    figures |= {
        "bookkeeping": round(share, 3),
        "bookkeeping_processor": round(used, 3),
        "memory_grown_mb": round(more, 1),
    }
    kept = budget(min(share, used), 0.05, at_most=True)
    row = (str(members), f"{share:.1%}", f"{used:.1%}", *kept, f"{more:.1f} MB")
    heads = (
        "networks", "more than the bare engine", "of processor time", "budget", "kept",
        "memory, from a fifth on to the end",
    )  # fmt: skip
    return Table("Bookkeeping: table, curves, checkpoints, choosing", heads, (row,))


# ---- the same settings with other tools


def _tools(quick: bool, place: Path, figures: dict[str, Any]) -> Table:
    members, epochs, rounds = (QUICK if quick else FULL)["tools"]
    data = tr.load("digits")
    configs = random(read_space(SPACE, whole_settings()), 0).ask(members)
    works: dict[str, Callable[[], float]] = {
        "treino, no halving": lambda: _in_treino(place, data, members, epochs, "none"),
        "treino, halving": lambda: _in_treino(place, data, members, epochs, "halving"),
        "torch, one after another (fused Adam)": lambda: _eager(data, configs, epochs),
        "torch.func.vmap": lambda: _vmap(data, configs, epochs),
        "scikit-learn, HalvingRandomSearchCV": lambda: _sklearn(data, members, epochs),
    }
    try:
        import optuna  # noqa: F401

        works["Optuna, torch one after another"] = lambda: _optuna(data, configs, epochs)
    except ImportError:
        pass
    seconds: dict[str, list[float]] = {name: [] for name in works}
    best: dict[str, float] = {}
    for _round, (name, work) in itertools.product(range(rounds), works.items()):
        begin = time.perf_counter()
        best[name] = work()
        seconds[name].append(time.perf_counter() - begin)
    ours = median(seconds["treino, no halving"])
    rows = []
    for name, of in seconds.items():
        figures[f"tool_{name}"] = {"seconds": round(median(of), 2), "accuracy": round(best[name], 4)}
        rows.append((name, f"{median(of):.1f}", f"{median(of) / ours:.1f} ×", f"{best[name]:.3f}"))
    title = f"digits 64-32-16-10, {members} settings, {epochs} epochs by 32, to the best of them"
    return Table(title, ("tool", "seconds", "of treino's", "best validation accuracy"), tuple(rows))


def _in_treino(place: Path, data: Data, members: int, epochs: int, strategy: str) -> float:
    asked = {"epochs": epochs, "hidden": HIDDEN, "patience": 0, "metric": "accuracy"}
    d = _swept(place, data, SPACE, members=members, strategy=strategy, sampler="random", settings=asked)
    return float(max(entry["validation"]["accuracy"] for entry in d["leaderboard"]))


def _eager_one(data: Data, config: dict[str, Any], epochs: int) -> float:
    net = network([data.inputs, *HIDDEN, len(data.classes)])
    optimizer = torch.optim.Adam(
        net.parameters(), lr=config["lr"], weight_decay=config["weight_decay"], fused=True
    )
    criterion, best = nn.CrossEntropyLoss(), 0.0
    for _epoch in range(epochs):
        for index in torch.randperm(len(data.train)).split(32):
            optimizer.zero_grad()
            criterion(net(data.train.x[index]), data.train.y[index]).backward()
            optimizer.step()
        with torch.no_grad():
            right = net(data.validation.x).argmax(1) == data.validation.y
        best = max(best, float(right.double().mean()))
    return best


def _eager(data: Data, configs: list[dict[str, Any]], epochs: int) -> float:
    return max(_eager_one(data, config, epochs) for config in configs)


def _optuna(data: Data, configs: list[dict[str, Any]], epochs: int) -> float:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="maximize")
    for config in configs:
        study.enqueue_trial(config)

    def objective(trial: Any) -> float:
        lr = trial.suggest_float("lr", 1e-4, 1e-1, log=True)
        decay = trial.suggest_float("weight_decay", 1e-6, 1e-2, log=True)
        return _eager_one(data, {"lr": lr, "weight_decay": decay}, epochs)

    study.optimize(objective, n_trials=len(configs))
    return float(study.best_value)


def _vmap(data: Data, configs: list[dict[str, Any]], epochs: int) -> float:
    """Stacked modules, a vmapped gradient and Adam by hand, as in torch's tutorial of ensembles."""
    from torch.func import functional_call, grad, stack_module_state, vmap

    nets = [network([data.inputs, *HIDDEN, len(data.classes)]) for _config in configs]
    params, _buffers = stack_module_state(nets)
    params = {name: p.detach() for name, p in params.items()}
    skeleton, criterion = nets[0], nn.CrossEntropyLoss()

    def loss(own: dict[str, Tensor], x: Tensor, y: Tensor) -> Tensor:
        return criterion(functional_call(skeleton, own, (x,)), y)

    gradient = vmap(grad(loss), in_dims=(0, None, None))
    m = {name: torch.zeros_like(p) for name, p in params.items()}
    v = {name: torch.zeros_like(p) for name, p in params.items()}

    def each(name: str, p: Tensor) -> Tensor:
        return torch.tensor([c[name] for c in configs]).view(-1, *[1] * (p.dim() - 1))

    step, best = 0, 0.0
    for _epoch in range(epochs):
        for index in torch.randperm(len(data.train)).split(32):
            step += 1
            grads = gradient(params, data.train.x[index], data.train.y[index])
            for name, p in params.items():
                g = grads[name] + each("weight_decay", p) * p
                m[name].mul_(0.9).add_(g, alpha=0.1)
                v[name].mul_(0.999).addcmul_(g, g, value=0.001)
                square = (v[name] / (1 - 0.999**step)).sqrt_().add_(1e-8)
                p.sub_(each("lr", p) / (1 - 0.9**step) * m[name] / square)
        with torch.no_grad():
            out = vmap(lambda own: functional_call(skeleton, own, (data.validation.x,)))(params)
        right = (out.argmax(-1) == data.validation.y).double().mean(1)
        best = max(best, float(right.max()))
    return best


def _sklearn(data: Data, members: int, epochs: int) -> float:
    from scipy.stats import loguniform
    from sklearn.experimental import enable_halving_search_cv  # noqa: F401
    from sklearn.model_selection import HalvingRandomSearchCV, PredefinedSplit
    from sklearn.neural_network import MLPClassifier

    x = torch.cat([data.train.x, data.validation.x]).numpy()
    y = torch.cat([data.train.y, data.validation.y]).numpy()
    fold = [-1] * len(data.train) + [0] * len(data.validation)
    search = HalvingRandomSearchCV(
        MLPClassifier(HIDDEN, batch_size=32, random_state=0),
        {"learning_rate_init": loguniform(1e-4, 1e-1), "alpha": loguniform(1e-6, 1e-2)},
        n_candidates=members, factor=3, resource="max_iter", max_resources=epochs,
        min_resources=max(1, epochs // 27), cv=PredefinedSplit(fold), random_state=0, refit=False,
    )  # fmt: skip
    search.fit(x, y)
    return float(search.best_score_)


# ---- honesty


def _noise(quick: bool, place: Path, figures: dict[str, Any]) -> Table:
    """Sweeps on shuffled labels: how many claim that something is there."""
    members, epochs, count = (QUICK if quick else FULL)["noise"]
    iris = tr.load("iris", validation=0.0, test=0.0)
    x = iris.train.x.numpy()
    claims, inflations = 0, []
    for seed in range(count):
        y = iris.train.y[torch.randperm(len(x), generator=torch.Generator().manual_seed(seed))].numpy()
        d = _swept(
            place, (x, y), SPACE, members=members, fresh=3 if quick else 16, strategy="halving",
            settings={"epochs": epochs, "hidden": (16,), "seed": seed},
        )  # fmt: skip
        claims += d["judge"]["verdict"] != "nothing"
        inflations.append(d["judge"]["expected_inflation"])
    figures |= {
        "noise_claims": claims,
        "noise_sweeps": count,
        "noise_inflation": round(median(inflations), 3),
    }
    limit = count // 20
    row = (
        str(count),
        str(claims),
        f"{median(inflations):.2f}",
        str(limit),
        "yes" if claims <= limit else "NO",
    )
    return Table(
        "Sweeps on shuffled labels", ("sweeps", "claims", "luck that they expect", "budget", "kept"), (row,)
    )
