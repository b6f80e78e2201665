"""Seconds per step and member of populations on wine, digits and MNIST, against eager torch and JAX.

The peer in PyTorch trains one member after another (``peers.eager``); the peer in JAX is ``vmap`` over the
members inside ``lax.scan`` over the steps, jitted, the way to do it there.
"""

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import torch

import treino as tr
from benchmarks import peers
from benchmarks.mnist_files import digits
from benchmarks.result import Result, Table
from benchmarks.timing import (
    budget,
    for_seconds,
    interleaved,
    microseconds,
    processor_ratio,
    ratio,
    threads,
    wall,
)
from treino.data.dataset import Data

HIDDEN = {"wine": (32, 16), "digits": (64, 32), "mnist": (128, 128)}
LR = 1e-2
CASES: tuple[tuple[str, int | None, int, float | None], ...] = (
    ("wine", None, 16, 6), ("wine", None, 64, 12), ("wine", None, 256, 12), ("wine", None, 1000, 12),
    ("wine", None, 4096, 12), ("wine", 20, 64, 25), ("wine", 20, 1000, 25), ("wine", 20, 4096, 25),
    ("digits", 32, 16, None), ("digits", 32, 64, None), ("digits", 32, 1000, None),
    ("mnist", 100, 16, None),
)  # fmt: skip
JAX_BUDGET = 1.2


def run(quick: bool) -> Result:
    rounds, seconds = (1, 0.02) if quick else (5, 0.5)
    jax = _jax()
    rows, figures = [], {}
    for name, batch_size, members, limit in CASES[:2] if quick else CASES:
        data = _data(name)
        hidden = HIDDEN[name]
        sizes = [data.inputs, *hidden, len(data.classes)]
        eager = peers.eager(data.train.x, data.train.y, sizes, batch_size, LR)
        works = {"eager": eager, "treino": _treino(data, hidden, batch_size, members)}
        if jax is not None:
            works["jax"] = _in_jax(data, sizes, batch_size, members)
        works = {peer: for_seconds(seconds, some) for peer, some in works.items()}
        with threads(1):
            found = interleaved(works, rounds)
        faster = ratio(found, "eager", "treino")
        key = f"{name}_{_words(batch_size)}_{members}"
        figures[key] = round(faster, 1)
        processor = processor_ratio(found, "eager", "treino")
        figures[f"{key}_processor"] = round(processor, 1)
        row = [
            f"{name} {'-'.join(map(str, sizes))}",
            _words(batch_size),
            str(members),
            *(microseconds(wall(found, peer)) for peer in ("eager", "treino")),
            f"{faster:.1f} ×",
            f"{processor:.1f} ×",
            *(budget(faster, limit, at_most=False) if limit is not None else ("–", "–")),
        ]
        if jax is None:
            row += ["–"] * 5
        else:
            other = ratio(found, "jax", "treino")
            figures[f"{key}_jax"] = round(other, 2)
            held = name == "wine" and batch_size is None and members >= 64
            processor = processor_ratio(found, "jax", "treino")
            figures[f"{key}_jax_processor"] = round(processor, 2)
            row += [microseconds(wall(found, "jax")), f"{other:.2f} ×", f"{processor:.2f} ×"]
            row += budget(other, JAX_BUDGET, at_most=False) if held else ("–", "–")
        rows.append(tuple(row))
    columns = (
        "network", "batch", "members", "eager, µs", "treino, µs", "treino faster", "in processor time",
        "budget", "kept",
        "JAX, µs", "faster than JAX", "in processor time", "budget", "kept",
    )  # fmt: skip
    return Result(
        (Table("One step of one member, with Adam", columns, tuple(rows)),),
        f"wine: 133 rows, two inputs. Median of {rounds} interleaved rounds of {seconds:g} s "
        "each; eager with one thread, its faster one here; treino with all cores and in the ticks of a "
        "sweep, half a second, so that "
        "in processor time (of all threads together) its second core brings nothing; "
        + (f"JAX {jax.__version__} with all cores." if jax else "JAX is not installed here."),
        (
            "JAX's compilation (warmed up before) and its member's bits, which depend on the population.",
            "Evaluation on validation rows.",
        ),
        ("https://docs.jax.dev/en/latest/automatic-vectorization.html (vmap), jax.lax.scan",),
        figures,
    )


def _words(batch_size: int | None) -> str:
    return "full" if batch_size is None else str(batch_size)


def _data(name: str) -> Data:
    if name == "wine":
        return tr.load("wine", features=["alcohol", "color_intensity"], validation=0, test=0.25)
    return digits(False)[0] if name == "mnist" else tr.load(name, validation=0)


def _treino(data: Data, hidden: Sequence[int], batch_size: int | None, members: int) -> Callable[[], int]:
    training = tr.train(
        data, tr.mlp(*hidden), lr=LR, batch_size=batch_size, steps=10_000_000, seeds=range(members),
        every=1_000_000,
    )  # fmt: skip
    return lambda: len(training.advance(0.5).loss_SP) * members


def _jax() -> Any:
    try:
        import jax
    except ImportError:
        return None
    return jax


def _in_jax(data: Data, sizes: Sequence[int], batch_size: int | None, members: int) -> Callable[[], int]:
    import jax
    import jax.numpy as jnp

    x_ND, y_N = jnp.asarray(data.train.x.numpy()), jnp.asarray(data.train.y.numpy())
    steps = max(5, 20_000_000 // (members * sum(a * b for a, b in itertools.pairwise(sizes))))
    rows = len(x_ND)
    index_SB = torch.stack([torch.randperm(rows)[: batch_size or rows] for _step in range(steps)]).numpy()

    def loss(params: Any, x: Any, y: Any) -> Any:
        for i, (weight, bias) in enumerate(params):
            x = x @ weight + bias
            x = jnp.maximum(x, 0) if i < len(params) - 1 else x
        return -jnp.take_along_axis(jax.nn.log_softmax(x), y[:, None], 1).mean()

    def adam(carry: Any, index_B: Any) -> Any:
        params, m, v, t = carry
        x, y = (x_ND, y_N) if batch_size is None else (x_ND[index_B], y_N[index_B])
        value, grads = jax.value_and_grad(loss)(params, x, y)
        t = t + 1
        m = jax.tree.map(lambda a, g: 0.9 * a + 0.1 * g, m, grads)
        v = jax.tree.map(lambda a, g: 0.999 * a + 0.001 * g * g, v, grads)
        params = jax.tree.map(
            lambda p, a, b: p - LR * (a / (1 - 0.9**t)) / (jnp.sqrt(b / (1 - 0.999**t)) + 1e-8), params, m, v
        )
        return (params, m, v, t), value

    @jax.jit
    def some(carry: Any, index: Any) -> Any:
        return jax.vmap(lambda c: jax.lax.scan(adam, c, index))(carry)

    keys = jax.random.split(jax.random.key(0), members)

    def start(key: Any) -> Any:
        params = []
        for a, b in itertools.pairwise(sizes):
            key, one, two = jax.random.split(key, 3)
            bound = a**-0.5
            params.append(
                (
                    jax.random.uniform(one, (a, b), minval=-bound, maxval=bound),
                    jax.random.uniform(two, (b,), minval=-bound, maxval=bound),
                )
            )
        return params

    params = jax.vmap(start)(keys)
    zeros = jax.tree.map(jnp.zeros_like, params)
    state = [(params, zeros, zeros, jnp.zeros(members))]
    index = jnp.asarray(index_SB)

    def go() -> int:
        state[0], _losses = jax.block_until_ready(some(state[0], index))
        return steps * members

    return go
