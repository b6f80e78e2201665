"""The compiled library of the kernel ``lanes``: its file, its loading, and its structs in ``ctypes``.

The structs mirror ``engine/lanes/border.hpp``, in the same order.
"""

import ctypes
import os
import struct
from ctypes import CFUNCTYPE, POINTER, Structure, c_char_p, c_double, c_int32, c_int64, c_void_p
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

import torch
from torch import Tensor

from treino.base.words import N_
from treino.engine.augmentation import NUMBERS
from treino.engine.model import Model
from treino.engine.optim import HP
from treino.engine.population import Population
from treino.engine.step_plan import Batches, Chunk

# ---- the compiled library

FILE = Path(__file__).with_name("_lanes.so")
SOURCES = Path(__file__).parents[1] / "lanes"
ACTIVATIONS = ("relu", "leaky_relu", "gelu", "silu", "tanh", "sigmoid", "identity")
LOSSES = ("cross_entropy", "bce", "mse", "l1", "huber")
OPTIMIZERS = ("sgd", "adam", "adamw")
HYPERPARAMETERS = ("lr", "weight_decay", "momentum", "beta1", "beta2", "eps", "clip", "dropout", "ema")
DONE, OUT_OF_RANGE, STOPPED = range(3)
assert set(HYPERPARAMETERS) == set(HP)


class Network(Structure):
    _fields_ = [
        *((name, c_void_p) for name in ("sizes", "starts", "target_CC", "weight_C", "column_D")),
        *((name, c_int64) for name in ("n", "gates", "gate_start")),
        ("gate_rate", c_double),
        ("convolutions", c_void_p),
        *((name, c_int64) for name in ("convolution_count", "groups", "mean")),
        *((name, c_int32) for name in ("layers", "activation", "loss", "optimizer", "nesterov")),
        *((name, c_int32) for name in ("dropout", "summed", "softmax_first", "averages")),
    ]


class Members(Structure):
    _fields_ = [
        *((name, c_void_p) for name in ("row_R", "params", "grads")),
        ("moments", c_void_p * 2),
        ("average", c_void_p),
        ("hp", c_void_p * len(HYPERPARAMETERS)),
        *((name, c_void_p) for name in ("seed_P", "schedule_P", "bag_P")),
        ("count", c_int64),
        ("next", POINTER(c_int64)),
    ]


class LanesSteps(Structure):
    _fields_ = [
        *((name, c_void_p) for name in ("x_ND", "class_N", "target_NC", "index", "end_S", "change")),
        *((name, c_void_p) for name in ("partner", "factor_KS", "loss_SR", "weight_GN")),
        *((name, c_int64) for name in ("rows", "first", "optimizer_first", "steps", "start", "stop")),
    ]


class Functions(Structure):
    _fields_ = [
        ("name", c_char_p),
        ("lanes", c_int32),
        ("open", CFUNCTYPE(c_void_p, POINTER(Network), c_void_p, c_int64, c_int32, c_int32)),
        ("close", CFUNCTYPE(None, c_void_p)),
        (
            "train",
            CFUNCTYPE(c_int32, c_void_p, c_int32, POINTER(Members), POINTER(LanesSteps), POINTER(c_int32)),
        ),
        (
            "outputs",
            CFUNCTYPE(
                c_int32, c_void_p, c_int32, POINTER(Members), c_void_p, c_int64, c_void_p, POINTER(c_int32)
            ),
        ),
        ("map", CFUNCTYPE(None, c_int32, c_void_p, c_void_p, c_int64)),
    ]


@dataclass(frozen=True)
class Library:
    """The library's functions for one instruction set. fused: whether they use fused multiply-add."""

    name: str
    lanes: int
    fused: bool
    functions: Functions


@cache
def libraries(file: Path = FILE) -> tuple[Library, ...]:
    """The instruction sets that run on this processor, the fastest first; empty without a usable library.

    All give the same bits.
    """
    loaded = _loaded(file)
    if loaded is None or not _of_these_sources(loaded):
        return ()
    entry = loaded.treino_lanes
    entry.restype, entry.argtypes = POINTER(Functions), [c_int32, POINTER(c_int32)]
    builds: list[Library] = []
    while True:
        fused = c_int32()
        functions = entry(len(builds), ctypes.byref(fused))
        if not functions:
            return tuple(builds)
        known = functions.contents
        builds.append(Library(known.name.decode(), known.lanes, bool(fused.value), known))


def why_missing(file: Path = FILE) -> str | None:
    """Why the kernel can't run on this machine, marked with ``N_``; None if it can."""
    if not file.exists():
        return N_("it was not compiled; a C++ compiler (GCC or Clang) is needed when treino is installed")
    loaded = _loaded(file)
    if loaded is None:
        return N_("its library can't be loaded on this machine")
    if not _of_these_sources(loaded):
        return N_("its library was compiled from other sources than those here; install treino again")
    if not libraries(file)[0].fused:
        return N_("this processor has no fused multiply-add (AVX2 with FMA, AVX-512 or NEON)")
    return None


@cache
def _loaded(file: Path) -> ctypes.CDLL | None:
    try:
        return ctypes.CDLL(os.fspath(file)) if _whole(file) else None
    except OSError:
        return None


def _whole(file: Path) -> bool:
    """Whether the file isn't a truncated ELF file, which would kill the process that loads it."""
    with file.open("rb") as opened:
        head = opened.read(64)
    if head[:4] != b"\x7fELF" or len(head) < 64:
        return head[:4] != b"\x7fELF"
    (sections,) = struct.unpack_from("<Q", head, 40)
    size, count = struct.unpack_from("<HH", head, 58)
    return int(sections + size * count) <= file.stat().st_size


def _of_these_sources(library: ctypes.CDLL) -> bool:
    """Whether the library was compiled from the sources of this version of treino."""
    try:
        sources = library.treino_lanes_sources
    except AttributeError:
        return False
    sources.restype = c_char_p
    return bool(sources() == sources_hash().encode())


def sources_hash() -> str:
    """The hash of the sources beside this file, to compare with the hash in the library."""
    return sha256(b"".join(path.read_bytes() for path in sorted(SOURCES.glob("*.*")))).hexdigest()


# ---- checks of arguments

CPU = torch.device("cpu")


def check_members(model: Model, population: Population, rows: Tensor) -> None:
    """Raises:
    ValueError: an array of the population has another size or type than the library takes.
    IndexError: a member's row doesn't exist.
    """
    count, n = len(population.seed_P), model.layout.n
    check_params(model, population.params, rows)
    moments = 1 if model.optimizer == "sgd" else 2
    if len(population.moments) != moments:
        raise ValueError(f"lanes: {moments} moments are needed, not {len(population.moments)}")
    _fits("params", population.params, torch.float32, count, n)
    _fits("grads", population.grads, torch.float32, count, n)
    for moment in population.moments:
        _fits("moments", moment, torch.float32, count, n)
    _fits("average", population.average, torch.float32, count if model.averages else 0, n)
    for name in HYPERPARAMETERS:
        _fits(name, population.hp[name], torch.float64, count)
    _fits("seed_P", population.seed_P, torch.int64, count)
    _fits("schedule_P", population.schedule_P, torch.int64, count)
    _fits("bag_P", population.bag_P, torch.int64, count)


def check_params(model: Model, params_Pn: Tensor, rows: Tensor) -> None:
    """Raises:
    ValueError: the parameters or rows have another size or type than the library takes.
    IndexError: a member's row doesn't exist.
    """
    _fits("params", params_Pn, torch.float32, len(params_Pn), model.layout.n)
    _fits("rows", rows, torch.int64, len(rows), dense=False)
    _within("members", rows, len(params_Pn))


def check_chunk(model: Model, population: Population, rows: Tensor, chunk: Chunk) -> None:
    """Check a chunk's arrays, except the row numbers and classes of batches, which the library checks itself.

    Raises:
        ValueError: an array of the chunk has another size or type than the library takes.
        IndexError: a member refers to a schedule or an order that the chunk doesn't have.
    """
    sizes, count = model.shape.sizes, len(chunk.x)
    for x, y in chunk.rows_G or [(chunk.x, chunk.y)]:
        check_inputs(model, x)
        if model.loss.name == "cross_entropy":
            _fits("y", y, torch.int64, len(x), dense=False)
        else:
            _fits("y", y, torch.float32, len(x), sizes[-1], dense=False)
        if chunk.weight_GN is not None:
            _fits("weights", chunk.weight_GN, torch.float32, len(chunk.weight_GN), len(x))
    if chunk.weight_GN is not None:
        _within("bags", population.bag_P[rows], len(chunk.weight_GN))
    if chunk.rows_G:
        _within("bags", population.bag_P[rows], len(chunk.rows_G))
    _within("schedules", population.schedule_P[rows], len(chunk.factors))
    if any(len(factor_S) != chunk.steps for factor_S in chunk.factors):
        raise ValueError(f"lanes: factors are not of {chunk.steps} steps")
    if chunk.orders:
        _within("orders", population.order_P[rows], len(chunk.orders))
    for batches in (chunk.batches, *chunk.orders):
        _check_batches(batches, chunk.steps)
    for batches, changes in zip(chunk.orders or [chunk.batches], chunk.changes, strict=bool(chunk.changes)):
        mixed = bool(changes) and len(changes[0].partner_B) > 0
        for batch, (number_BK, partner_B) in zip(batches, changes, strict=True):
            whole = len(number_BK) if chunk.rows_G else count
            size = whole if batch is None else len(batch)
            _fits("changes", number_BK, torch.float32, size, NUMBERS)
            _fits("partners", partner_B, torch.int64, size if mixed else 0)
    if any(not 0 < step <= chunk.steps for step in chunk.keyframe_steps):
        raise ValueError(f"lanes: keyframe_steps {sorted(chunk.keyframe_steps)} of {chunk.steps} steps")


def check_inputs(model: Model, x: Tensor) -> None:
    """Raises:
    ValueError: the rows have another size or type than the library takes.
    """
    _fits("x", x, torch.float32, len(x), *model.row_shape, dense=False)


def _check_batches(batches: Batches, steps: int) -> None:
    indices = [batch for batch in batches if batch is not None]
    if len(batches) != steps or len(indices) not in (0, steps):
        raise ValueError(f"lanes: {len(indices)} batches of {steps} steps")
    for batch in indices:
        if batch.dtype != torch.int64 or batch.ndim != 1 or batch.device != CPU:
            _fits("batches", batch, torch.int64, len(batch), dense=False)


def _fits(name: str, tensor: Tensor, dtype: torch.dtype, *shape: int, dense: bool = True) -> None:
    right = tensor.dtype == dtype and tensor.shape == shape and tensor.device == CPU
    if not right or (dense and not tensor.is_contiguous()):
        actual = f"{tensor.dtype} {list(tensor.shape)} on {tensor.device}"
        raise ValueError(f"lanes: {name} is {actual}, not {dtype} {list(shape)}, dense, on the CPU")


def _within(name: str, numbers: Tensor, count: int) -> None:
    if len(numbers):
        least, most = numbers.aminmax()
        if int(least) < 0 or int(most) >= count:
            raise IndexError(f"lanes: {name} {int(least)} to {int(most)} of {count}")
