"""Figures have the same bits wherever their numbers lie in memory, and by as many threads as there are."""

import os
import subprocess
import sys

import pytest

FIGURES = """
import numpy as np
from treino.data.summaries import measures
from treino.data.summaries.measures import dot

def at(value_N, offset):
    raw = np.empty(value_N.nbytes + 128, np.uint8)
    start = -raw.ctypes.data % 64 + offset
    shifted_N = raw[start : start + value_N.nbytes].view(value_N.dtype)
    shifted_N[...] = value_N
    return shifted_N

rng = np.random.default_rng(0)
a_N, code_N = rng.uniform(20, 200, 30_001), rng.integers(0, 3, 30_001)
figures = set()
for offset in range(0, 64, 8):
    one_N, other_N = at(a_N, offset), at(a_N * 3 + code_N, 0)
    measured = measures.pearson(one_N, other_N), measures.correlation_ratio(code_N, one_N)
    figures.add((float(dot(one_N, other_N)), *measured))
print(figures)
"""


@pytest.mark.slow
def test_figures_have_the_same_bits_at_each_place_and_by_each_number_of_threads() -> None:
    """The BLAS adds long vectors up in parts, one for each thread."""
    told = set()
    for threads in ("1", "2", "3"):
        environment = os.environ | {"OPENBLAS_NUM_THREADS": threads, "OMP_NUM_THREADS": threads}
        told.add(subprocess.check_output([sys.executable, "-c", FIGURES], text=True, env=environment))
    assert len(told) == 1
    assert told.pop().count("(") == 1
