"""Files with changed bytes, in every format: a table or a refusal with its reason; never another error.

``python -m benchmarks fuzz_tables`` tries a hundred thousand of the same.
"""

from pathlib import Path

import pytest
from benchmarks.fuzz_tables import answer, case, tables


@pytest.mark.parametrize("count", [150, pytest.param(1500, marks=pytest.mark.release)])
def test_changed_files_end_in_a_table_or_a_refusal(tmp_path: Path, count: int) -> None:
    kinds = tables()
    said = []
    for number in range(count):
        _kind, content = case(number, kinds)
        (tmp_path / "t.csv").write_bytes(content)
        said.append(answer(tmp_path / "t.csv"))
    assert not [word for word in said if word.startswith("ERROR")]
    assert count / 30 < said.count("read") < count * 5 / 6


def test_the_unchanged_files_are_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = tables()
    monkeypatch.setattr("time.time", lambda: 1e9)
    monkeypatch.setattr("time.localtime", lambda *_: (2001, 9, 9, 1, 46, 40, 6, 252, 0))
    assert tables() == first
    assert case(7, first) == case(7, first)
    for content in tables().values():
        (tmp_path / "t.csv").write_bytes(content)
        assert answer(tmp_path / "t.csv") == "read"
