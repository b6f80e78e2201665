"""The hash of a function of the user's tells two apart by any value that they reach, in any process."""

import abc
import array
import collections
import dataclasses
import enum
import functools
import io
import json
import os
import re
import subprocess
import sys
import threading
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import treino as tr
from tests.conftest import refusal_of
from treino.base.own_hash import hash_of
from treino.base.own_objects import keep


class Point(NamedTuple):
    x: int


@dataclasses.dataclass
class Record:
    x: int


class Colour(enum.Enum):
    RED = 1
    BLUE = 2


class Base(abc.ABC):
    @abc.abstractmethod
    def value(self) -> int: ...


class Held(Base):
    __slots__ = ("x",)

    def __init__(self, x: int) -> None:
        self.x = x

    @property
    def twice(self) -> int:
        return 2 * self.x

    @functools.cached_property
    def once(self) -> int:
        return self.x

    @classmethod
    def made(cls) -> "Held":
        return cls(1)

    def value(self) -> int:
        return self.x


class Layer(nn.Module):
    def __init__(self, x: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([float(x)]))


def closure(x: int) -> Any:
    return lambda o: o * x


def class_of(x: int) -> type:
    class Inner:
        gamma = x

        def twice(self) -> int:
            return self.gamma * 2

    return Inner


def method_of(x: int) -> type:
    return type("Made", (), {"value": closure(x)})


def module_of(x: int) -> types.ModuleType:
    module = types.ModuleType("helpers")
    vars(module).update(gamma=x)
    return module


def ring(x: int) -> list[Any]:
    items: list[Any] = [x]
    items.append(items)
    return items


def deep(x: int) -> Any:
    value: Any = x
    for _level in range(3000):
        value = [value]
    return value


KINDS: dict[str, Callable[[int], Any]] = {
    "number": int,
    "large number": lambda x: 10**5000 + x,
    "None": lambda x: None if x == 1 else False,
    "text": str,
    "bytes": lambda x: b"a" * x,
    "list": lambda x: [x],
    "nested": lambda x: {"a": ({"b": [x]},)},
    "deep": deep,
    "ring": ring,
    "key": lambda x: {x: 1},
    "set": lambda x: {x, "p", "q", "rrr"},
    "set of sets": lambda x: {frozenset({"p", "q", x}), frozenset("q")},
    "counter": lambda x: collections.Counter([x]),
    "default dict": lambda x: collections.defaultdict(closure(x)),
    "deque": lambda x: collections.deque([x]),
    "tensor": lambda x: torch.tensor([x, 2]),
    "half": lambda x: torch.tensor([x], dtype=torch.bfloat16),
    "sparse": lambda x: torch.tensor([x, 0.0]).to_sparse(),
    "array": lambda x: np.array([x]),
    "objects": lambda x: np.array([x, "a"], dtype=object),
    "masked": lambda x: np.ma.masked_equal([1, 2], x),
    "machine numbers": lambda x: array.array("i", [x]),
    "view": lambda x: memoryview(b"a" * x),
    "frame": lambda x: pd.DataFrame({"a": [x], "b": ["p"]}),
    "generator of numbers": np.random.default_rng,
    "torch's generator": lambda x: torch.Generator().manual_seed(x),
    "pattern": lambda x: re.compile("a" * x),
    "class": class_of,
    "method of a class": method_of,
    "instance": lambda x: class_of(x)(),
    "slots": Held,
    "named tuple": Point,
    "record": Record,
    "choice": Colour,
    "proxy": lambda x: types.MappingProxyType({"a": x}),
    "module": module_of,
    "network": Layer,
    "loss of torch": lambda x: nn.CrossEntropyLoss(label_smoothing=x / 10),
    "function": closure,
    "function in a dict": lambda x: {"f": closure(x)},
    "partial": lambda x: functools.partial(F.cross_entropy, label_smoothing=x / 10),
    "method": lambda x: Held(x).value,
    "cached": lambda x: functools.lru_cache(closure(x)),
    "without gradients": lambda x: torch.no_grad()(closure(x)),
    "derivative": lambda x: torch.func.grad(F.mse_loss, argnums=x - 1),
    "function of torch": lambda x: [F.relu, F.gelu][x - 1],
    "compiled function of torch": lambda x: [torch.relu, torch.tanh][x - 1],
    "ufunc": lambda x: [np.add, np.exp][x - 1],
    "dtype": lambda x: [torch.int8, torch.int16][x - 1],
}
UNHASHABLE: dict[str, Callable[[], Any]] = {
    "lock": threading.Lock,
    "generator": lambda: (each for each in [1]),
    "meta": lambda: torch.zeros(2, device="meta"),
    "output": lambda: io.TextIOWrapper(io.BytesIO()),
}
BESIDE: Any = None


def loss(output: Any, target: Any) -> Any:
    return output.sum() * (lambda: BESIDE)()


def chained(output: Any, target: Any) -> Any:
    return loss(output, target) + 1


def reader(output: Any, target: Any) -> Any:
    return output.sum() * BESIDE.gamma


def names() -> dict[str, list[str]]:
    """The names of functions that reach a value of each kind, 1, 1 made anew, and 2."""
    found: dict[str, list[str]] = {}
    for kind, make in KINDS.items():
        for function in (loss, chained):
            for x in (1, 1, 2):
                globals()["BESIDE"] = make(x)
                found.setdefault(f"{kind} {function.__name__}", []).append(keep(function))
    return found


def test_any_value_that_a_function_reaches_tells_it_from_another() -> None:
    for kind, (one, again, other) in names().items():
        assert one == again != other, kind


@pytest.mark.proof
def test_a_name_is_the_same_in_another_process() -> None:
    program = "import json; from tests.base.test_own_hash import names; print(json.dumps(names()))"
    environment = {**os.environ, "PYTHONHASHSEED": "7"}
    where = Path(__file__).parents[2]
    other = subprocess.run([sys.executable, "-c", program], env=environment, cwd=where, capture_output=True)
    assert json.loads(other.stdout) == names(), other.stderr


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3) | st.binary(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
)


@settings(max_examples=50, deadline=None)
@given(VALUES, VALUES)
def test_two_values_have_one_hash_if_their_texts_are_equal(one: Any, other: Any) -> None:
    assert (hash_of(one, "f") == hash_of(other, "f")) == (repr(one) == repr(other))


@pytest.mark.parametrize("kind", UNHASHABLE)
def test_what_has_no_value_is_refused_by_its_kind(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "BESIDE", UNHASHABLE[kind]())
    refusal = refusal_of(tr.fit, "wine", loss=loss, epochs=1)
    assert refusal.rule == "own_unhashable"
    assert type(BESIDE).__name__ in refusal.message


@pytest.mark.parametrize("value", [torch.zeros(1).expand(10**12), np.broadcast_to(0.0, 10**12)])
def test_the_work_is_bounded(value: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "BESIDE", value)
    assert refusal_of(keep, loss).rule == "own_too_large"


def test_a_module_of_the_users_is_read_where_the_function_reads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for gamma, beside in ((1, 3), (1, 4), (2, 3)):
        helpers = module_of(gamma)
        helpers.unread = beside  # type: ignore[attr-defined]
        monkeypatch.setitem(globals(), "BESIDE", helpers)
        found.append(keep(reader))
    assert found[0] == found[1] != found[2]
    assert hash_of(np, "f") == hash_of(np, "f")  # an installed one has its name
