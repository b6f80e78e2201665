"""The sample of test cases that runs without ``--thorough``."""

from types import SimpleNamespace
from typing import Any

from tests.conftest import pytest_collection_modifyitems


class Case:
    """A test as pytest hands it on."""

    def __init__(self, nodeid: str, **marks: int) -> None:
        self.nodeid, self.marks = nodeid, marks

    def get_closest_marker(self, name: str) -> SimpleNamespace | None:
        return SimpleNamespace(args=(self.marks[name],)) if name in self.marks else None


CASES = [
    *(Case(f"a.py::test_all[{i}]") for i in range(3)),
    *(Case(f"a.py::test_some[{i}]", sampled=3) for i in range(7)),
    *(Case(f"b.py::test_some[{i}]", sampled=2) for i in range(2)),
    Case("b.py::test_long", thorough=1),
]


def kept(thorough: bool) -> tuple[list[str], list[Case]]:
    items, left = list(CASES), []
    hook = SimpleNamespace(pytest_deselected=lambda items: left.extend(items))
    config: Any = SimpleNamespace(getoption=lambda name: thorough, hook=hook)
    pytest_collection_modifyitems(config, items)  # type: ignore[arg-type]
    return [case.nodeid for case in items], left


def test_one_case_in_k_is_run_the_first_among_them() -> None:
    names, left = kept(thorough=False)
    every = [f"a.py::test_all[{i}]" for i in range(3)]
    assert names == [*every, *(f"a.py::test_some[{i}]" for i in (0, 3, 6)), "b.py::test_some[0]"]
    assert len(left) == len(CASES) - len(names)


def test_thorough_runs_them_all() -> None:
    assert kept(thorough=True) == ([case.nodeid for case in CASES], [])
