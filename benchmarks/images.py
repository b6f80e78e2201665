"""Small convolutional networks: a step against eager torch and JAX, populations, MNIST's test rows and time.

Three networks: ``a`` of two convolutions, ``b`` like LeNet-5, ``c`` of five on pictures in colour.
"""

import itertools
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import mean

import torch
from torch import Tensor, nn

import treino as tr
from benchmarks import mnist_files, peers, peers_jax
from benchmarks.population import products_of_a_core
from benchmarks.result import Result, Table
from benchmarks.timing import (
    budget,
    for_seconds,
    interleaved,
    microseconds,
    processor,
    processor_ratio,
    threads,
)
from treino.engine.nets import CNN
from treino.training.loop import JobClose, JobEvent, JobStart

Shape = tuple[int, int, int]
NETS: dict[str, tuple[Shape, CNN]] = {
    "a": ((1, 28, 28), tr.cnn(8, 16)),
    "b": ((1, 28, 28), tr.cnn(6, 16, kernel=5, padding=[2, 0], hidden=[120, 84])),
    "c": (
        (3, 32, 32),
        tr.cnn(16, 16, 32, 32, 64, pool=["none", "max", "none", "max", "none"], head="average"),
    ),
}
WORDS = {
    "a": "a: 1×28×28, 8@3×3, pool, 16@3×3, pool, 10",
    "b": "b: 1×28×28, 6@5×5, pool, 16@5×5, pool, 120, 84, 10",
    "c": "c: 3×32×32, 16, 16, pool, 32, 32, pool, 64 @3×3, mean, 10",
}
CLASSES, LR = 10, 1e-3


@dataclass(frozen=True)
class Case:
    """A network, a batch, and how many times as fast as its peers treino is to be."""

    net: str
    batch: int
    eager: float | None = None
    channels_last: float | None = None
    jax: float | None = None


CASES = (
    Case("a", 20, 6, 3.8, 5),
    Case("a", 100, 7, 4, 5),
    Case("b", 20),
    Case("b", 100, eager=5.5),
    Case("c", 20, None, 1.3, 2),
    Case("c", 128, None, 1.2, 2),
)
MEMBERS, MEMBERS_BATCH = 32, 20
POPULATION = {"eager": 6.0, "vmap": 5.0}
MNIST = {  # the settings that are tuned, and what is to be reached: of test rows, and processor seconds
    "8,16": ({"channels": (8, 16), "epochs": 5}, 0.990, 5.0),
    "16,32": ({"channels": (16, 32), "epochs": 5}, 0.992, 12.0),
}
SEEDS = 5


def run(quick: bool) -> Result:
    peers_jax.use_one_thread()
    rounds, seconds = (1, 0.01) if quick else (9, 0.5)
    peak = products_of_a_core(0.05 if quick else 1.0)
    figures: dict[str, float] = {}
    with threads(1):
        steps = [_step(case, rounds, seconds, peak, figures) for case in (CASES[:1] if quick else CASES)]
        together = _population(3 if quick else MEMBERS, rounds, seconds, figures)
    tables = [
        Table(
            "One step with Adam, one thread; how many times as long others take",
            (
                "network", "batch", "kernel", "treino, µs", "of a core's products",
                "eager", "goal, kept", "channels_last", "goal, kept", "JAX", "goal, kept",
            ),
            tuple(steps),
        ),
        Table(
            "A step of one member of a population of a, one thread",
            ("members", "batch", "treino, µs", "eager", "goal, kept", "vmap", "goal, kept"),
            (together,),
        ),
    ]  # fmt: skip
    if mnist_files.there():
        columns = ("channels", "mean of test rows", "of each seed", "goal, kept", "training, s", "goal, kept")
        rows = [_mnist(name, quick, figures) for name in (list(MNIST)[:1] if quick else MNIST)]
        tables.append(Table("`treino train mnist --net cnn`", columns, tuple(rows)))
    others = f"JAX {peers_jax.version()}, one thread" if peers_jax.there() else "JAX is not installed here"
    return Result(
        tuple(tables),
        f"Processor time, medians of {rounds} interleaved rounds of {seconds:g} s in one process. Rows of "
        f"noise; eager and torch.func.vmap with `Adam(fused=True)`; {others}, a call for each step. Of a "
        "core's products: multiply-adds of the passes over those of torch's product of two matrices of 2,048 "
        f"rows and columns ({peak / 1e9:.0f} · 10⁹ a second). The eager population: networks in turn. "
        "MNIST: the official 10,000 test rows, the settings "
        + "; ".join(f"{name}: {_words(settings)}" for name, (settings, _goal, _seconds) in MNIST.items())
        + ". Seconds of a processor from the first step to the last, with the validation rows of each epoch "
        "and checkpoints.",
        ("torch.compile, which was slower than eager for these networks.", "Reading the pictures."),
        ("https://docs.pytorch.org/tutorials/intermediate/memory_format_tutorial.html (channels_last)",),
        figures,
    )


# ---- one network


def _step(case: Case, rounds: int, seconds: float, peak: float, figures: dict[str, float]) -> tuple[str, ...]:
    shape, net = NETS[case.net]
    x, y = pictures(shape, 10 * case.batch)
    training = tr.train(
        (x, y), net, lr=LR, batch_size=case.batch, steps=10_000_000, every=1_000_000, threads=1,
        schedule="constant", augment="none",
    )  # fmt: skip
    last = net.module(shape, CLASSES).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    x_last = x.to(memory_format=torch.channels_last)
    works: dict[str, Callable[[], float]] = {
        "treino": lambda: len(training.advance(0.1).loss_SP),
        "eager": peers.eager(x, y, net.module(shape, CLASSES), case.batch, LR),
        "channels_last": peers.eager(x_last, y, last, case.batch, LR),
    }
    if peers_jax.there():
        works["JAX"] = peers_jax.convolutional(x, y, net, CLASSES, case.batch, LR)
    found = interleaved({name: for_seconds(seconds, some) for name, some in works.items()}, rounds)
    key = f"{case.net}_{case.batch}"
    share = products(net, shape, case.batch) / processor(found, "treino") / peak
    figures[f"{key}_share"] = round(share, 3)
    took = microseconds(processor(found, "treino"))
    row = [WORDS[case.net], str(case.batch), training.engine, took, f"{share:.0%}"]
    for name, goal in (("eager", case.eager), ("channels_last", case.channels_last), ("JAX", case.jax)):
        if name not in found:
            row += ["–", "–"]
            continue
        row += _faster(processor_ratio(found, name, "treino"), goal, f"{key}_{name}", figures)
    return tuple(row)


def pictures(shape: Shape, rows: int) -> tuple[Tensor, Tensor]:
    """Noise of this shape in ten classes."""
    generator = torch.Generator().manual_seed(0)
    return torch.randn(rows, *shape, generator=generator), torch.arange(rows) % CLASSES


def products(net: CNN, shape: Shape, rows: int) -> int:
    """Multiply-adds of a step's passes: the first layer has none down to its inputs."""
    layers = [
        c.out_height * c.out_width * c.kernel**2 * c.inputs * c.outputs for c in net.convolutions(shape)
    ]
    ends = [net.features(shape), *net.hidden, CLASSES]
    layers += [a * b for a, b in itertools.pairwise(ends)]
    return rows * (3 * sum(layers) - layers[0])


def _faster(value: float, goal: float | None, key: str, figures: dict[str, float]) -> list[str]:
    """The cells of how many times as long a peer takes, and of its goal."""
    figures[key] = round(value, 2)
    kept = "–" if goal is None else " ".join(budget(value, goal, at_most=False))
    return [f"{value:.2f} ×", kept]


# ---- a population


def _population(members: int, rounds: int, seconds: float, figures: dict[str, float]) -> tuple[str, ...]:
    shape, net = NETS["a"]
    batch = MEMBERS_BATCH
    x, y = pictures(shape, 10 * batch)
    training = tr.train(
        (x, y), net, lr=LR, batch_size=batch, steps=10_000_000, every=1_000_000, threads=1,
        seeds=range(members), schedule="constant", augment="none",
    )  # fmt: skip
    nets: list[nn.Module] = [net.module(shape, CLASSES) for _member in range(members)]
    each = [peers.eager(x, y, module, batch, LR) for module in nets]
    works: dict[str, Callable[[], float]] = {
        "treino": lambda: len(training.advance(0.1).loss_SP) * members,
        "eager": lambda: sum(some() for some in each),
        "vmap": peers.vmapped(x, y, nets, batch, LR),
    }
    found = interleaved({name: for_seconds(seconds, some) for name, some in works.items()}, rounds)
    row = [str(members), str(batch), microseconds(processor(found, "treino"))]
    for name, goal in POPULATION.items():
        value = processor_ratio(found, name, "treino")
        row += _faster(value, goal, f"population_{name}", figures)
    return tuple(row)


# ---- MNIST


def _mnist(name: str, quick: bool, figures: dict[str, float]) -> tuple[str, ...]:
    settings, goal, longest = MNIST[name]
    some = {"steps": 3, "epochs": None} if quick else {}
    accuracy_S, seconds_S = [], []
    for seed in range(1 if quick else SEEDS):
        accuracy, seconds = _trained({**settings, **some, "seed": seed})
        accuracy_S.append(accuracy)
        seconds_S.append(seconds)
    key = f"mnist_{name.replace(',', '_')}"
    figures[key], figures[f"{key}_seconds"] = round(mean(accuracy_S), 4), round(mean(seconds_S), 2)
    return (
        name,
        f"{mean(accuracy_S):.2%}",
        ", ".join(f"{accuracy:.2%}" for accuracy in accuracy_S),
        " ".join(budget(mean(accuracy_S), goal, at_most=False)),
        f"{mean(seconds_S):.1f}",
        " ".join(budget(mean(seconds_S), longest, at_most=True)),
    )


def _trained(settings: dict[str, object]) -> tuple[float, float]:
    """The share of test rows that a network gets right, and the processor seconds of its training."""
    at: dict[type[JobEvent], float] = {}

    def clock(event: JobEvent) -> None:
        at.setdefault(type(event), time.process_time())

    with tempfile.TemporaryDirectory() as folder:
        run = tr.fit("mnist", net="cnn", threads=1, lean=True, parent=folder, watch=clock, **settings)
        accuracy = float(run.metrics["test"]["accuracy"])
    return accuracy, at[JobClose] - at[JobStart]


def _words(settings: dict[str, object]) -> str:
    return ", ".join(f"{name} {value}" for name, value in settings.items() if name != "channels")
