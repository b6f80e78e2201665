"""The library of the kernel ``lanes`` by itself: memory, compilers, functions (``tools.lanes_trial``)."""

import os
import shutil
import subprocess
import sys

import pytest
from oracles import ENGINES
from tools.lanes_trial import PLACEMENTS, ROOT, SANITIZERS, Way, bits, build, clang, narrow_set, suite

from treino.engine.kernels.lanes_library import FILE, why_missing

pytestmark = [
    pytest.mark.skipif("lanes" not in ENGINES, reason=f"needs lanes: {why_missing()}"),
    pytest.mark.skipif(sys.platform != "linux" or not shutil.which("g++"), reason="needs GCC on Linux"),
]


@pytest.fixture(scope="session")
def plain(tmp_path_factory):
    """The program with the library that is installed."""
    return build(Way(), tmp_path_factory.mktemp("plain"))


@pytest.fixture(scope="session")
def sanitized(tmp_path_factory):
    """Of one instruction set, with the sanitizers; it counts allocations, and has each of them fail."""
    way = Way(flags=("-O0", *SANITIZERS), sets=[narrow_set()])
    return build(way, tmp_path_factory.mktemp("sanitized"))


@pytest.mark.slow
def test_some_shapes_reach_not_beyond_what_they_are_given(plain):
    """Of one instruction set, beside forbidden pages."""
    cases = range(6)
    wanted, *others = (bits(plain, cases, placement, name=narrow_set()) for placement in PLACEMENTS)
    assert len(set(wanted.values())) == len(cases)
    assert others == [wanted, wanted]


@pytest.mark.release
def test_memory_is_the_library_s_own_and_none_is_asked_for_in_a_step(plain, sanitized):
    """Sanitizers see every address; forbidden pages stand where the arrays that it is given end and begin."""
    cases = range(120)
    wanted = bits(plain, cases)
    assert len(set(wanted.values())) == len(cases)
    assert bits(sanitized, cases) == wanted
    assert bits(plain, cases, "end") == wanted
    assert bits(plain, cases, "begin") == wanted


@pytest.mark.release
@pytest.mark.parametrize("first", range(0, 10_000, 1_250))
def test_no_shape_reaches_beyond_what_it_is_given(plain, sanitized, first):
    cases = range(first, first + 1_250)
    wanted, *others = (bits(plain, cases, placement) for placement in PLACEMENTS)
    assert all(other == wanted for other in others)
    assert bits(sanitized, cases) == wanted


@pytest.mark.release
def test_the_kernel_s_own_tests_pass_with_the_sanitizers(tmp_path):
    assert suite(tmp_path) == 0


COMPILERS = {
    "clang": {"CC": (clang() or "").replace("++", ""), "CXX": clang() or ""},
    "fast math": {"CFLAGS": "-Ofast -ffast-math -ffinite-math-only", "CXXFLAGS": "-ffast-math"},
}


@pytest.mark.release
@pytest.mark.parametrize("name", COMPILERS)
def test_other_compilers_and_flags_make_the_same_bits(name, plain, tmp_path):
    if name == "clang" and clang() is None:
        pytest.skip("needs clang")
    script = "setup.py", "-q", "build_ext", f"--build-lib={tmp_path}", f"--build-temp={tmp_path / 'objects'}"
    subprocess.run([sys.executable, *script], cwd=ROOT, env=os.environ | COMPILERS[name], check=True)
    library = next(tmp_path.rglob(FILE.name))
    assert (b"clang" in library.read_bytes()) == (name == "clang")
    cases = range(300)
    assert bits(build(Way(), tmp_path, library), cases) == bits(plain, cases)


@pytest.mark.release
@pytest.mark.parametrize(("function", "bound"), [(0, 2), (1, 2), (2, 2), (3, 2), (4, 3), (5, 2)])
def test_functions_are_exact_for_every_float(function, bound, tmp_path):
    """exp, log, tanh, erf, log(1 + x); sigmoid is made of exp, a division and a sum."""
    program = build(Way(flags=("-O2",)), tmp_path, source="functions")
    done = subprocess.run([program, str(function), "1"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert float(done.stdout.split()[0]) <= bound, done.stdout
