"""Trials of the library lanes by a program that calls it alone: ``python -m tools.lanes_trial KIND [CASES]``.

The program is ``tests/engine/lanes_trial/trial.cpp``. Every kind builds it in its own way and compares its
output with that of the installed library:

pages: against forbidden pages. clang: compiled by Clang. sanitized: with the sanitizers for addresses, leaks
and undefined behaviour. threads: that for threads. valgrind: in valgrind (AVX2). neon: for ARM, in qemu.

suite: the tests of the kernel in Python, on a library with those sanitizers.
"""

import os
import platform
import re
import runpy
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from treino.engine.kernels.lanes_library import FILE, libraries, sources_hash

ROOT = Path(__file__).parent.parent
SOURCES = ROOT / "src/treino/engine/lanes"
PROGRAMS = ROOT / "tests/engine/lanes_trial"
PLACEMENTS = ("heap", "end", "begin")
WRAPPED = (
    "malloc", "calloc", "realloc", "aligned_alloc", "posix_memalign", "_Znwm", "_Znam", "_ZnwmSt11align_val_t"
)  # fmt: skip
SANITIZERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")
SUITE = ("tests/engine/test_equality.py", "tests/engine/test_lanes.py", "tests/engine/test_ema.py")
VALGRIND = ("valgrind", "-q", "--error-exitcode=9", "--leak-check=full", "--errors-for-leak-kinds=all")


class Way(NamedTuple):
    """A program for the trial."""

    compiler: str = "g++"
    flags: Sequence[str] = ("-O1",)
    sets: Sequence[str] = ()  # instruction sets that are compiled; none: it calls the installed library
    machine: str = platform.machine()
    runner: Sequence[str] = ()


def build(way: Way, folder: Path, library: Path = FILE, source: str = "trial") -> Path:
    """Build the program in this folder; with ``library`` as its source, the library itself."""
    setup = runpy.run_path(str(ROOT / "setup.py"))
    sets = setup["FLAGS"]["sets"][setup["MACHINES"][way.machine.lower()]]
    program = folder / source
    common = [way.compiler, "-std=c++17", "-ffp-contract=off", *way.flags]

    def compiled(source: Path, name: str, flags: Sequence[str]) -> Path:
        subprocess.run([*common, *flags, "-c", source, "-o", folder / name], check=True)
        return folder / name

    shared = ["-shared"] if source == "library" else []
    parts = [] if shared else [compiled(PROGRAMS / f"{source}.cpp", f"{source}.o", [])]
    if way.sets:
        door = folder / "door.cpp"
        door.write_text(_door(way.sets))
        parts.append(compiled(door, "door.o", []))
        plain = [flag for flag in setup["FLAGS"]["all"] if not flag.startswith(("-O", "-g"))]
        for name in way.sets:
            flags = [*plain, *sets[name], f"-DLANES_SET={name}"]
            parts.append(compiled(SOURCES / "set.cpp", f"{name}.o", flags))
    else:
        parts.append(shutil.copy(library, folder))
    wraps = [f"-Wl,--wrap={name}" for name in WRAPPED if source == "trial"]
    subprocess.run([*common, *shared, *wraps, *parts, "-lm", "-pthread", "-o", program], check=True)
    return program


def _door(sets: Sequence[str]) -> str:
    names = [f"treino_lanes_{name}" for name in sets]
    lines = [f'extern "C" const void* {name}();' for name in names]
    return "\n".join(
        [
            *lines,
            'extern "C" const void* treino_lanes(int i, int* fused) {',
            f"    const void* (*all[])() = {{{', '.join(names)}}};",
            f"    return *fused = 1, i < {len(names)} ? all[i]() : nullptr;",
            "}",
            f'extern "C" const char* treino_lanes_sources() {{ return "{sources_hash()}"; }}',
        ]
    )


def bits(
    program: Path, cases: range, placement: str = "heap", runner: Sequence[str] = (), name: str = ""
) -> dict[int, str]:
    """What each case has written, for all instruction sets (or one) and both layouts.

    Raises:
        RuntimeError: it found a fault, or the layouts or sets differ.
    """
    line = [*runner, program, str(cases.start), str(len(cases)), placement, *([name] if name else [])]
    done = subprocess.run(list(map(str, line)), capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"status {done.returncode}\n{done.stdout[-500:]}\n{done.stderr[-5000:]}")
    found: dict[int, str] = {}
    for text in done.stdout.splitlines():
        number, name_of_set, layout, written = text.split()
        if found.setdefault(int(number), written) != written:
            of_case = [line for line in done.stdout.splitlines() if line.startswith(f"{number} ")]
            raise RuntimeError("\n".join([f"{name_of_set}, {layout} differs:", *of_case]))
    if list(found) != list(cases):
        raise RuntimeError(f"{len(found)} of {len(cases)} cases were told of")
    return found


def clang() -> str | None:
    """The newest Clang here."""
    names = ["clang++", *(f"clang++-{n}" for n in range(30, 9, -1))]
    return next((name for name in names if shutil.which(name)), None)


def narrow_set() -> str:
    """AVX2 where this processor has it, else whatever runs everywhere."""
    names = [library.name for library in libraries()]
    return "avx2" if "avx2" in names else names[-1]


def ways() -> dict[str, Way]:
    here = [library.name for library in libraries()]
    arm = ("aarch64-linux-gnu-g++", ("-O2", "-static"), ["neon"], "aarch64", ("qemu-aarch64",))
    return {
        "pages": Way(),
        "clang": Way(clang() or "clang++", ("-O3",), here),
        "sanitized": Way(flags=("-O0", *SANITIZERS), sets=here),
        "threads": Way(flags=("-O1", "-g", "-fsanitize=thread"), sets=[narrow_set()]),
        "valgrind": Way(flags=("-O1", "-g"), sets=[narrow_set()], runner=VALGRIND),
        "neon": Way(*arm),
    }


def trial(kind: str, cases: range, folder: Path) -> str:
    """Run a trial; return a sentence on what was compared."""
    way = ways()[kind]
    plain, other = folder / "plain", folder / kind
    plain.mkdir()
    other.mkdir()
    wanted = bits(build(Way(), plain), cases)
    program = build(way, other)
    placements = PLACEMENTS if kind == "pages" else PLACEMENTS[:1]
    for placement in placements:
        if bits(program, cases, placement, way.runner) != wanted:
            raise RuntimeError(f"{kind}: other bits than those of the library that is installed")
    return f"{kind}: {len(cases)} cases, the same bits: {', '.join(way.sets or ['what is installed'])}"


def suite(folder: Path) -> int:
    """Run the kernel's tests in a copy of the sources whose library has the sanitizers; -> pytest's exit
    status."""
    shutil.copytree(ROOT / "src", folder / "src", ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    build(Way(flags=("-O1", "-fPIC", *SANITIZERS), sets=[narrow_set()]), folder, source="library")
    shutil.copy(folder / "library", folder / FILE.relative_to(ROOT))
    asked = ["g++", "-print-file-name=libasan.so"]
    runtime = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    quiet = {"ASAN_OPTIONS": "detect_leaks=0"}  # Python itself leaves memory to the process's end
    here = os.environ | quiet | {"LD_PRELOAD": runtime, "PYTHONPATH": str(folder / "src")}
    tests = [sys.executable, "-m", "pytest", "-q", "-n", "2", "-k", "lanes", *SUITE]
    return subprocess.run(tests, cwd=ROOT, env=here, check=False).returncode


if __name__ == "__main__":
    words = sys.argv[1:]
    if words == ["suite"]:
        with tempfile.TemporaryDirectory() as where:
            sys.exit(suite(Path(where)))
    if not words or words[0] not in ways() or not re.fullmatch(r"\d+", (words[1:] or ["20"])[0]):
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory() as where:
        print(trial(words[0], range(int((words[1:] or ["20"])[0])), Path(where)))
