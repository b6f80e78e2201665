"""The compiled library of the kernel ``lanes``: its file, its loading, and its structs in ``ctypes``.

The structs are those of ``engine/lanes/border.hpp``, in the same order.
"""

import ctypes
import os
import struct
from ctypes import CFUNCTYPE, POINTER, Structure, c_char_p, c_double, c_int32, c_int64, c_void_p
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

from treino.engine.optim import HP
from treino.words import N_

FILE = Path(__file__).with_name("_lanes.so")
SOURCES = Path(__file__).parents[1] / "lanes"
ACTIVATIONS = ("relu", "leaky_relu", "gelu", "silu", "tanh", "sigmoid", "identity")
LOSSES = ("cross_entropy", "bce", "mse", "l1", "huber")
OPTIMIZERS = ("sgd", "adam", "adamw")
HYPERPARAMETERS = ("lr", "weight_decay", "momentum", "beta1", "beta2", "eps", "clip", "dropout", "ema")
DONE, OUT_OF_TIME, OUT_OF_RANGE = range(3)
assert set(HYPERPARAMETERS) == set(HP)


class Network(Structure):
    _fields_ = [
        *((name, c_void_p) for name in ("sizes", "starts", "target_CC", "weight_C", "column_D")),
        *((name, c_int64) for name in ("n", "gates", "gate_start")),
        ("gate_rate", c_double),
        *(
            (name, c_int32)
            for name in (
                "layers", "activation", "loss", "optimizer", "nesterov", "dropout", "summed", "softmax_first",
                "averages",
            )
        ),
    ]  # fmt: skip


class Members(Structure):
    _fields_ = [
        *((name, c_void_p) for name in ("row_R", "params", "grads")),
        ("moments", c_void_p * 2),
        ("average", c_void_p),
        ("hp", c_void_p * len(HYPERPARAMETERS)),
        *((name, c_void_p) for name in ("seed_P", "schedule_P")),
        ("count", c_int64),
    ]


class LanesSteps(Structure):
    _fields_ = [
        *(
            (name, c_void_p)
            for name in ("x_ND", "class_N", "target_NC", "index", "end_S", "factor_KS", "loss_SR")
        ),
        *(
            (name, c_int64)
            for name in ("rows", "first", "optimizer_first", "steps", "schedules", "start", "stop")
        ),
    ]


class Progress(Structure):
    _fields_ = [("member", c_int64), ("step", c_int64)]


class Functions(Structure):
    _fields_ = [
        ("name", c_char_p),
        ("lanes", c_int32),
        ("open", CFUNCTYPE(c_void_p, POINTER(Network), c_int64, c_int32)),
        ("close", CFUNCTYPE(None, c_void_p)),
        (
            "train",
            CFUNCTYPE(c_int32, c_void_p, POINTER(Members), POINTER(LanesSteps), POINTER(Progress), c_double),
        ),
        ("outputs", CFUNCTYPE(None, c_void_p, POINTER(Members), c_void_p, c_int64, c_void_p)),
        ("map", CFUNCTYPE(None, c_int32, c_void_p, c_void_p, c_int64)),
    ]


@dataclass(frozen=True)
class Library:
    """The functions for one instruction set. fused: whether they use fused multiply-add."""

    name: str
    lanes: int
    fused: bool
    functions: Functions


@cache
def libraries(file: Path = FILE) -> tuple[Library, ...]:
    """The libraries that run on this processor, the fastest first; empty if ``why_missing`` gives a reason.

    All give the same bits.
    """
    loaded = _loaded(file)
    if loaded is None or not _of_these_sources(loaded):
        return ()
    door = loaded.treino_lanes
    door.restype, door.argtypes = POINTER(Functions), [c_int32, POINTER(c_int32)]
    builds: list[Library] = []
    while True:
        fused = c_int32()
        functions = door(len(builds), ctypes.byref(fused))
        if not functions:
            return tuple(builds)
        known = functions.contents
        builds.append(Library(known.name.decode(), known.lanes, bool(fused.value), known))


def why_missing(file: Path = FILE) -> str | None:
    """Why the kernel can't be used here, marked with ``N_``; None if it can."""
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
    """Whether an ELF file is complete: loading a truncated one would kill the process."""
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
    """The hash of the present sources, to compare with that in the library."""
    return sha256(b"".join(path.read_bytes() for path in sorted(SOURCES.glob("*.?pp")))).hexdigest()
