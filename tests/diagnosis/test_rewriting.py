"""However a script is cut up into functions, methods and tables, the doctor says the same of it."""

import contextlib
import io
from pathlib import Path
from zlib import crc32

import pytest

from tests.diagnosis.bed import NEAR, faulty, header, needs, right
from tests.diagnosis.rewriting import REWRITES, rewritten
from tests.diagnosis.zygote import examined

LONG = 6  # lines in one statement that a fault may be on: rewritten, they are one
RIGHT = 6  # right scripts for each way
ONE_IN = 3  # rules for each way

FLAT = """\
import math

SCALE = 3


def half(x):
    return x / 2


a = [half(n) for n in range(SCALE)]
b = sum(a)
c = math.sqrt(b)
for n in range(2):
    c += half(n)
d = {"b": b, "c": c}
e = max(d, key=lambda name: d[name])
print(e, round(d[e], 3), n)
"""

SEVERAL = """\
def parts(x):
    low, high = min(x), max(x)
    return low, high


one, two = parts([3, 1, 2])
print(one, two, parts([5, 4])[0])
"""


def printed(source: str) -> str:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(source, "script", "exec"), {"__name__": "__main__"})
    return out.getvalue()


@pytest.mark.parametrize("way", REWRITES)
@pytest.mark.parametrize("source", [FLAT, SEVERAL], ids=["flat", "several"])
def test_a_rewritten_script_means_the_same(way, source):
    made = rewritten(source, REWRITES[way])
    if made is None:
        assert (way == "as_records") is (source is FLAT) or source is SEVERAL
        return
    assert made[0] != source
    assert printed(made[0]) == printed(source)


def test_lines_go_where_their_statement_goes():
    text, lines = rewritten(FLAT, REWRITES["in_methods"])
    (new,) = lines[FLAT.splitlines().index("c = math.sqrt(b)") + 1]
    assert "math.sqrt" in text.splitlines()[new - 1]


def chosen(way: str, paths: list[Path], rules: bool) -> list[Path]:
    """Some scripts that can be rewritten so, always the same: one for every third rule, or a few."""
    ordered = sorted(paths, key=lambda p: crc32(f"{way} {p.stem}".encode()))
    found: dict[str, Path] = {}
    for path in ordered:
        key = header(path)["expect"][0][0] if rules else path.stem
        wanted = crc32(f"{way} {key}".encode()) % ONE_IN == 0 if rules else len(found) < RIGHT
        if wanted and key not in found and not needs(path) and _places(way, path) is not None:
            found[key] = path
    return list(found.values())


def _places(way: str, path: Path) -> tuple[str, dict[str, list[int]]] | None:
    """The new source, and for each rule the lines on which a fault may now be named."""
    made = rewritten(path.read_text(), REWRITES[way])
    if made is None:
        return None
    source, lines = made
    places: dict[str, list[int]] = {}
    for rule, line in (*header(path)["expect"], *header(path)["allowed"]):
        near = [n for n in range(line, line - LONG, -1) if n in lines]
        places.setdefault(rule, []).extend(lines[near[0]] if near else [])
    return source, places


@pytest.mark.slow
@pytest.mark.parametrize("way", REWRITES)
def test_the_doctor_says_the_same_of_a_rewritten_script(way, tmp_path):
    wrong: list[str] = []
    every = [*chosen(way, faulty("seen"), rules=True), *chosen(way, right("seen"), rules=False)]
    assert len(every) > 2 * RIGHT
    for path in every:
        made = _places(way, path)
        assert made is not None
        source, places = made
        script = tmp_path / path.name
        script.write_text(source)
        seen = examined(script)
        found = [(rule, line) for rule, line, _ in seen["findings"]]
        wrong += [f"{path.stem}: {defect}" for defect in seen["defects"]]
        wrong += [f"{path.stem}: {rule} at {line}" for rule, line in found if rule not in places]
        for rule, _ in header(path)["expect"]:
            near = any(r == rule and abs(line - at) <= NEAR for r, line in found for at in places[rule])
            wrong += [] if near else [f"{path.stem}: {rule} at {places[rule]}, found {found}"]
    assert wrong == []
