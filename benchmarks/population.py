"""Seconds per step and member of populations on wine, digits and MNIST, against eager torch and JAX.

The peer in PyTorch trains one member after another (``peers.eager``); the peer in JAX (``peers_jax``) is
``vmap`` over the members inside ``lax.scan`` over the steps, jitted, the way to do it there.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

import treino as tr
from benchmarks import peers, peers_jax
from benchmarks.mnist_files import digits
from benchmarks.result import Result, Table
from benchmarks.timing import budget, for_seconds, interleaved, microseconds, processor, ratio, threads, wall
from treino.data.dataset import Data

HIDDEN = {"wine": (32, 16), "digits": (64, 32), "mnist": (128, 128)}
LR = 1e-2


@dataclass(frozen=True)
class Case:
    """Data, a batch (None: all rows), members, and how many times as fast as its peers treino is to be."""

    data: str
    batch: int | None
    members: int
    jax: float
    eager: float | None = None
    batched: float | None = None

    @property
    def key(self) -> str:
        return f"{self.data}_{'full' if self.batch is None else self.batch}_{self.members}"


CASES = (
    *(Case("wine", None, members, 4, 40, 3) for members in (64, 1000, 4096)),
    *(Case("wine", 20, members, 3) for members in (64, 1000, 4096)),
    *(Case("digits", 32, members, 2) for members in (16, 64, 1000)),
    *(Case("mnist", batch, members, 1.5) for batch in (100, 20, 5) for members in (16, 64)),
)  # fmt: skip
TWO_THREADS = 1.8  # how many times as fast as one, from so many members on:
FROM_MEMBERS = 64


def run(quick: bool) -> Result:
    rounds, seconds = (1, 0.02) if quick else (5, 0.5)
    rows, figures = [], {}
    peak = products_of_a_core(0.05 if quick else 1.0)
    for case in CASES[:2] if quick else CASES:
        data, hidden = data_of(case.data), HIDDEN[case.data]
        sizes = [data.inputs, *hidden, len(data.classes)]
        train = data.train
        works = {
            "eager": peers.eager(train.x, train.y, peers.network(sizes), case.batch, LR),
            "treino": _treino(data, hidden, case, None, None),
            "treino, one thread": _treino(data, hidden, case, None, 1),
            "batched": _treino(data, hidden, case, "batched", None),
        }
        if peers_jax.there():
            works["JAX"] = peers_jax.population(train.x, train.y, sizes, case.batch, LR, case.members)
        with threads(1):
            found = interleaved({name: for_seconds(seconds, some) for name, some in works.items()}, rounds)
        products = peers.products(sizes, case.batch or len(train.x))
        share = products / wall(found, "treino, one thread") / peak
        row = [
            f"{case.data} {'-'.join(map(str, sizes))}",
            "full" if case.batch is None else str(case.batch),
            str(case.members),
            microseconds(wall(found, "treino")),
            microseconds(processor(found, "treino")),
            f"{share:.0%}",
        ]
        wanted = (
            ("eager", case.eager),
            ("batched", case.batched),
            ("JAX", case.jax),
            ("treino, one thread", TWO_THREADS if case.members >= FROM_MEMBERS else None),
        )
        for name, limit in wanted:
            if name not in found:
                row += ["–", "–"]
                continue
            faster = ratio(found, name, "treino")
            figures[f"{case.key}_{name.replace(', ', '_').replace(' ', '_')}"] = round(faster, 2)
            kept = ("–", "–") if limit is None else budget(faster, limit, at_most=False)
            row += [f"{faster:.2f} ×", " ".join(kept) if limit is not None else "–"]
        figures[f"{case.key}_share"] = round(share, 3)
        rows.append(tuple(row))
    columns = (
        "network", "batch", "members", "treino, µs", "of a processor, µs", "of a core's products",
        "eager", "goal, kept", "batched", "goal, kept", "JAX", "goal, kept", "one thread", "goal, kept",
    )  # fmt: skip
    return Result(
        (
            Table(
                "One step of one member, with Adam; how many times as long others take", columns, tuple(rows)
            ),
        ),
        f"wine: 133 rows, two inputs. Median of {rounds} interleaved rounds of {seconds:g} s each; eager "
        "with one thread, its faster one here; treino, batched and JAX with all cores, treino in the "
        "ticks of a sweep, half a second. "
        + (f"JAX {peers_jax.version()}. " if peers_jax.there() else "JAX is not installed here. ")
        + "Of a core's products: multiply-adds of the passes, one thread, over those of torch's product of "
        f"two matrices of 2,048 rows and columns ({peak / 1e9:.0f} · 10⁹ a second).",
        (
            "JAX's compilation (warmed up before) and its member's bits, which depend on the population.",
            "Evaluation on validation rows.",
        ),
        ("https://docs.jax.dev/en/latest/automatic-vectorization.html (vmap), jax.lax.scan",),
        figures,
    )


def products_of_a_core(seconds: float) -> float:
    """Multiply-adds a second, by torch's product of matrices."""
    a = torch.rand(2048, 2048)
    out = torch.empty_like(a)

    def some() -> int:
        torch.mm(a, a, out=out)
        return 1

    with threads(1):
        found = interleaved({"mm": for_seconds(seconds, some)}, 3)
    return 2048**3 / min(spent.processor for spent in found["mm"])


def data_of(name: str) -> Data:
    if name == "wine":
        return tr.load("wine", features=["alcohol", "color_intensity"], validation=0, test=0.25)
    return digits(False)[0] if name == "mnist" else tr.load(name, validation=0)


def _treino(
    data: Data, hidden: Sequence[int], case: Case, engine: str | None, threads: int | None
) -> Callable[[], int]:
    training = tr.train(
        data, tr.mlp(*hidden), lr=LR, batch_size=case.batch or "full", steps=10_000_000,
        seeds=range(case.members), every=1_000_000, engine=engine, threads=threads,
    )  # fmt: skip
    return lambda: len(training.advance(0.5).loss_SP) * case.members
