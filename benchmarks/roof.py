"""How near treino, eager PyTorch and JAX come to a core's products: one network, populations, convolutions.

Processor time of one thread, so that it can be measured while other programs use the machine.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

import treino as tr
from benchmarks import images, peers, peers_jax, population, single
from benchmarks.mnist_files import digits
from benchmarks.result import Result, Table
from benchmarks.timing import (
    Found,
    Work,
    budget,
    for_seconds,
    interleaved,
    microseconds,
    processor,
    processor_ratio,
    threads,
)
from treino.data.dataset import Data
from treino.engine.nets import CNN, MLP

LR = 1e-3
ONE_NETWORK = {100: 0.80, 20: 0.50, 5: 0.25}  # by the batch: what share of a core's products there is to be
MEMBERS = (64, 1000)
JAX = {"wine": 9.0, "digits": 4.0}  # how many times as fast as JAX, in populations
CONVOLUTIONS = {("a", 20): None, ("a", 100): 4.5, ("c", 128): None}  # likewise as channels_last


def run(quick: bool) -> Result:
    peers_jax.use_one_thread()
    rounds, seconds = (1, 0.01) if quick else (3, 0.4)
    figures: dict[str, float] = {}
    with threads(1):
        tables = (
            _one_network(quick, rounds, seconds, figures),
            _populations(quick, rounds, seconds, figures),
            _convolutions(quick, rounds, seconds, figures),
        )
    version = f"JAX {peers_jax.version()}" if peers_jax.there() else "JAX is not installed here"
    return Result(
        tables,
        f"Processor time of one thread; medians of {rounds} interleaved rounds of {seconds:g} s or one call. "
        "The roof: the multiply-adds of the passes, done at the rate of torch's product of two matrices of "
        "2,048 rows and columns on one core, measured in the same rounds. A peer beside the roof is what a "
        "program with products as fast would reach against it on this machine. SGD is without momentum: what "
        "Adam takes beyond it is its division, its square root and two moments. "
        f"Eager with `Adam(fused=True)`; {version}, `vmap` of a `lax.scan` over 20 to 1,000 "
        "steps, compiled before, whose state is donated; of convolutions a call for each step.",
        ("JAX's compilation.", "A second core: the tables of one network and of populations have it."),
        (
            "https://docs.jax.dev/en/latest/automatic-vectorization.html (vmap), jax.lax.scan",
            "https://docs.jax.dev/en/latest/buffer_donation.html",
        ),
        figures,
    )


def _rate() -> Callable[[], float]:
    """torch's product of two matrices; a call says how many multiply-adds it did."""
    a = torch.rand(2048, 2048)
    out = torch.empty_like(a)

    def some() -> float:
        torch.mm(a, a, out=out)
        return 2048.0**3

    return some


def _measured(works: dict[str, Callable[[], float]], rounds: int, seconds: float) -> Found:
    works = {**works, "product": _rate()}
    turns: dict[str, Work] = {name: for_seconds(seconds, some) for name, some in works.items()}
    return interleaved(turns, rounds)


def _treino(
    data: Data | tuple[Tensor, Tensor],
    net: MLP | CNN,
    batch: int | None,
    members: int,
    steps: int,
    optimizer: str,
) -> Callable[[], float]:
    """So many steps of so many networks at a call, as a compiled peer takes."""
    training = tr.train(
        data, net, lr=LR, batch_size=batch or "full", steps=100_000_000, every=100_000_000, threads=1,
        seeds=range(members), optimizer=optimizer, schedule="constant",
    )  # fmt: skip

    def some() -> float:
        return len(training.advance(None, until=training.state.step + steps).loss_SP) * members

    return some


def _works(
    data: Data, sizes: Sequence[int], batch: int | None, members: int
) -> dict[str, Callable[[], float]]:
    x, y = data.train.x, data.train.y
    steps = peers.steps_of_a_call(sizes, batch or len(x), members)
    net = tr.mlp(*sizes[1:-1])
    works: dict[str, Callable[[], float]] = {
        "treino": _treino(data, net, batch, members, steps, "adam"),
        "eager": peers.eager(x, y, peers.network(list(sizes)), batch, LR),
    }
    if members == 1:
        works["SGD"] = _treino(data, net, batch, members, steps, "sgd")
    if peers_jax.there():
        works["JAX"] = peers_jax.population(x, y, sizes, batch, LR, members)
    return works


def _one_network(quick: bool, rounds: int, seconds: float, figures: dict[str, float]) -> Table:
    data, _what = digits(quick)
    sizes, rows = single.SIZES, []
    for batch, goal in ONE_NETWORK.items():
        found = _measured(_works(data, sizes, batch, 1), rounds, seconds)
        roof = peers.products(sizes, batch) * processor(found, "product")
        took, plain = processor(found, "treino"), processor(found, "SGD")
        key = f"one_{batch}"
        figures[f"{key}_share"] = round(roof / took, 3)
        rows.append(
            (
                str(batch), microseconds(roof), microseconds(took), f"{roof / took:.0%}",
                " ".join(budget(round(roof / took, 2), goal, at_most=False)), microseconds(plain),
                microseconds(took - plain),
                _peer(found, "eager", roof, key, figures), _peer(found, "JAX", roof, key, figures),
            )
        )  # fmt: skip
    columns = (
        "batch", "the roof, µs", "treino, µs", "of the roof", "goal, kept", "with SGD, µs",
        "Adam beyond it, µs", "eager / treino, / roof", "JAX / treino, / roof",
    )  # fmt: skip
    return Table("One network, 784-128-128-10, a step with Adam", columns, tuple(rows))


def _populations(quick: bool, rounds: int, seconds: float, figures: dict[str, float]) -> Table:
    rows = []
    cases = [case for case in population.CASES if case.members in MEMBERS]
    for case in cases[:1] if quick else cases:
        data = population.data_of(case.data)
        sizes = [data.inputs, *population.HIDDEN[case.data], len(data.classes)]
        found = _measured(_works(data, sizes, case.batch, case.members), rounds, seconds)
        roof = peers.products(sizes, case.batch or len(data.train.x)) * processor(found, "product")
        took = processor(found, "treino")
        figures[f"{case.key}_share"] = round(roof / took, 3)
        goal = "–"
        if case.data in JAX and "JAX" in found:
            goal = " ".join(budget(processor_ratio(found, "JAX", "treino"), JAX[case.data], at_most=False))
        rows.append(
            (
                f"{case.data} {'-'.join(map(str, sizes))}", str(case.batch or "full"), str(case.members),
                microseconds(roof), microseconds(took), f"{roof / took:.0%}",
                _peer(found, "eager", roof, case.key, figures),
                _peer(found, "JAX", roof, case.key, figures), goal,
            )
        )  # fmt: skip
    columns = (
        "network", "batch", "members", "the roof, µs", "treino, µs", "of the roof",
        "eager / treino, / roof", "JAX / treino, / roof", "goal, kept",
    )  # fmt: skip
    return Table("A step of one member of a population, with Adam", columns, tuple(rows))


def _convolutions(quick: bool, rounds: int, seconds: float, figures: dict[str, float]) -> Table:
    rows = []
    for (name, batch), goal in list(CONVOLUTIONS.items())[: 1 if quick else None]:
        shape, net = images.NETS[name]
        x, y = images.pictures(shape, 10 * batch)
        last = net.module(shape, images.CLASSES).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        works: dict[str, Callable[[], float]] = {
            "treino": _treino((x, y), net, batch, 1, 20, "adam"),
            "channels_last": peers.eager(x.to(memory_format=torch.channels_last), y, last, batch, LR),
        }
        if peers_jax.there():
            works["JAX"] = peers_jax.convolutional(x, y, net, images.CLASSES, batch, LR)
        found = _measured(works, rounds, seconds)
        roof = images.products(net, shape, batch) * processor(found, "product")
        took, key = processor(found, "treino"), f"cnn_{name}_{batch}"
        figures[f"{key}_share"] = round(roof / took, 3)
        faster = processor_ratio(found, "channels_last", "treino")
        rows.append(
            (
                images.WORDS[name], str(batch), microseconds(roof), microseconds(took), f"{roof / took:.0%}",
                _peer(found, "channels_last", roof, key, figures),
                "–" if goal is None else " ".join(budget(faster, goal, at_most=False)),
                _peer(found, "JAX", roof, key, figures),
            )
        )  # fmt: skip
    columns = (
        "network", "batch", "the roof, µs", "treino, µs", "of the roof", "channels_last / treino, / roof",
        "goal, kept", "JAX / treino, / roof",
    )  # fmt: skip
    return Table("Convolutions, a step with Adam", columns, tuple(rows))


def _peer(found: Found, name: str, roof: float, key: str, figures: dict[str, float]) -> str:
    """How many times as long a peer takes as treino, and as the roof."""
    if name not in found:
        return "–"
    faster = processor_ratio(found, name, "treino")
    figures[f"{key}_{name}"] = round(faster, 2)
    return f"{faster:.2f} ×, {processor(found, name) / roof:.2f} ×"
