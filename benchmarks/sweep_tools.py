"""The same settings with other tools: seconds to the best validation accuracy that they find.

Other tools train one network after another, as one does there, in the same process with the data in memory;
scikit-learn's search draws and cuts by its own rules from the same ranges.
"""

import itertools
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

import treino as tr
from benchmarks.peers import network
from benchmarks.result import Result, Table
from benchmarks.sweep import HIDDEN, SPACE, swept
from benchmarks.timing import Spent, processor_ratio, ratio, threads, wall
from treino.data.dataset import Data
from treino.training.search.samplers import sampler
from treino.training.search.space import read_space

HEADS = "tool", "seconds", "of treino's", "of its processor time", "best validation accuracy"
# networks, epochs, rounds
FULL, QUICK = (256, 20, 1), (8, 3, 1)


def run(quick: bool) -> Result:
    figures: dict[str, Any] = {}
    with threads(1), tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        table = _tools(*(QUICK if quick else FULL), Path(folder), figures)
    return Result(
        (table,),
        method="treino: whole sweeps with their folders on disk, on all cores; the others "
        "have one. Processor time is of all threads together.",
        left_out=(
            "Ray Tune, which needs a running cluster of its own.",
            "The judge, and what the other tools would need to say how much of the best figure is luck.",
        ),
        sources=(
            "scikit-learn: sklearn.model_selection.HalvingRandomSearchCV",
            "torch: https://docs.pytorch.org/tutorials/intermediate/ensembling.html",
            "Optuna: https://optuna.readthedocs.io",
        ),
        figures=figures,
    )


def _tools(members: int, epochs: int, rounds: int, place: Path, figures: dict[str, Any]) -> Table:
    data = tr.load("digits")
    configs = sampler("random", read_space(SPACE), 0).ask(members)
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
    spent: dict[str, list[Spent]] = {name: [] for name in works}
    best: dict[str, float] = {}
    for _round, (name, work) in itertools.product(range(rounds), works.items()):
        begin, used = time.perf_counter(), time.process_time()
        best[name] = work()
        spent[name].append(Spent(time.perf_counter() - begin, time.process_time() - used))
    rows = []
    for name in spent:
        slower, more = (f(spent, name, "treino, no halving") for f in (ratio, processor_ratio))
        figures[f"tool_{name}"] = {
            "slower": round(slower, 1),
            "processor": round(more, 1),
            "accuracy": round(best[name], 4),
        }
        cells = (f"{wall(spent, name):.1f}", f"{slower:.1f} ×", f"{more:.1f} ×", f"{best[name]:.3f}")
        rows.append((name, *cells))
    title = f"digits 64-32-16-10, {members} settings, {epochs} epochs by 32, to the best of them"
    return Table(title, HEADS, tuple(rows))


def _in_treino(place: Path, data: Data, members: int, epochs: int, strategy: str) -> float:
    asked = {"epochs": epochs, "hidden": HIDDEN, "patience": 0, "metric": "accuracy"}
    d = swept(place, data, SPACE, members=members, strategy=strategy, sampler="random", settings=asked)
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
