"""However a script is cut up into functions, methods and tables, the doctor says the same of it."""

import contextlib
import io

import pytest

from rewriting import REWRITES, rewritten
from same_findings import differences, faulty_ones, right_ones

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


def printed(source: str) -> str:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(source, "script", "exec"), {"__name__": "__main__"})
    return out.getvalue()


@pytest.mark.parametrize("way", REWRITES)
def test_a_rewritten_script_means_the_same(way):
    made = rewritten(FLAT, REWRITES[way])
    assert made is not None
    assert made[0] != FLAT
    assert printed(made[0]) == printed(FLAT)


def test_lines_go_where_their_statement_goes():
    text, lines = rewritten(FLAT, REWRITES["in_methods"])
    (new,) = lines[FLAT.splitlines().index("c = math.sqrt(b)") + 1]
    assert "math.sqrt" in text.splitlines()[new - 1]


@pytest.mark.parametrize(
    ("one_in", "right"),
    [pytest.param(9, 2, marks=pytest.mark.slow), pytest.param(3, 6, marks=pytest.mark.release)],
)
@pytest.mark.parametrize("way", REWRITES)
def test_the_doctor_says_the_same_of_a_rewritten_script(way, one_in, right, tmp_path):
    """A script for one rule in so many, and so many right scripts."""
    rewrite = REWRITES[way]
    every = [*faulty_ones(way, rewrite, one_in), *right_ones(way, rewrite, right)]
    assert len(every) > right
    assert differences(every, rewrite, tmp_path) == []
