"""Treino as pip installs it: with and without a compiler, from the archive of sources; an older library."""

import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

from treino.engine.kernels.lanes_library import SOURCES

ROOT = Path(__file__).parent.parent
CHECK = ROOT / "tools/installation_check.py"
PACKAGE = "treino/engine/kernels"
PLAYGROUND = ROOT / "apps/studio/src/treino_studio/playground"
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="paths of virtual environments are Linux's")


def called(line, **arguments):
    done = subprocess.run(list(map(str, line)), capture_output=True, text=True, check=False, **arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def archive(tmp_path_factory):
    """The archive of sources, made of a copy: setuptools writes beside what it packs."""
    copy = tmp_path_factory.mktemp("archive") / "treino"
    ours = shutil.ignore_patterns("__pycache__", "_lanes.so", "*.egg-info")
    for folder in ("src", "apps"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=ours)
    for name in ("setup.py", "pyproject.toml", "MANIFEST.in", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    build = "from setuptools import build_meta; print(build_meta.build_sdist('.'))"
    return copy / called([sys.executable, "-c", build], cwd=copy).split()[-1]


@pytest.fixture(scope="session")
def doctor_sources(tmp_path_factory):
    """A copy of the doctor's folder, as pip takes it."""
    copy = tmp_path_factory.mktemp("doctor") / "doctor"
    ours = shutil.ignore_patterns("__pycache__", "*.egg-info", "build", "tests")
    return shutil.copytree(ROOT / "doctor", copy, ignore=ours)


@pytest.fixture
def environment(tmp_path, doctor_sources):
    """A function: pip installs this and the doctor in an empty environment, which has everything else from
    this one.

    -> its Python. No build is isolated, and nothing is fetched.
    """

    def install(what, **environ):
        folder = tmp_path / "environment"
        venv.create(folder, symlinks=True)
        python = folder / "bin/python"
        (site,) = folder.glob("lib/python*/site-packages")
        (site / "those_beside.pth").write_text(sysconfig.get_path("purelib"))
        pip = [
            sys.executable,
            "-m",
            "pip",
            "--python",
            python,
            "install",
            "-q",
            "--disable-pip-version-check",
        ]
        options = ["--no-deps", "--no-build-isolation", "--no-compile", "--no-index", "--ignore-installed"]
        called([*pip, *options, what, doctor_sources], env=plain_environ() | environ)
        return python

    return install


def plain_environ():
    """Without the path by which tests may find their treino."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


def told(python, folder, *words):
    """What the check prints, in a folder without treino's sources."""
    return called([python, CHECK, *words], cwd=folder, env=plain_environ())


@pytest.mark.proof
def test_without_a_compiler_pip_installs_all_but_lanes(archive, environment, tmp_path):
    with tarfile.open(archive) as opened:
        names = {Path(name).name for name in opened.getnames() if "engine/lanes/" in name}
    assert names >= {path.name for path in SOURCES.glob("*.?pp")}
    assert len(names) >= 12
    python = environment(archive, CC="false", CXX="false")
    found = told(python, tmp_path, "--without-lanes")
    assert f"treino: {tmp_path}" in found
    assert found.count("not there: it was not compiled; a C++ compiler (GCC or Clang) is needed") == 2
    assert not list(tmp_path.rglob("_lanes.so"))
    assert list(tmp_path.rglob("treino_lessons/__main__.py"))


@pytest.mark.release
@pytest.mark.skipif(not shutil.which("g++"), reason="needs g++")
def test_a_wheel_of_the_archive_has_the_library_for_every_python(archive, environment, tmp_path):
    pip = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", tmp_path]
    called([*pip, archive])
    (wheel,) = tmp_path.glob("*.whl")
    assert wheel.name.split("-")[2:4] == ["py3", "none"]
    assert not wheel.name.endswith("-any.whl")
    with zipfile.ZipFile(wheel) as opened:
        assert f"{PACKAGE}/_lanes.so" in opened.namelist()
        assert {Path(n).name for n in opened.namelist()} >= {p.name for p in SOURCES.glob("*.?pp")}
        page = [*PLAYGROUND.glob("web/*"), *PLAYGROUND.glob("wasm/*")]
        assert set(opened.namelist()) >= {str(path.relative_to(PLAYGROUND.parents[1])) for path in page}
    python = environment(wheel)
    found = told(python, tmp_path)
    assert f"treino: {tmp_path}" in found
    assert "not there" not in found
    lessons = [python, "-m", "treino_lessons", "--help"]
    assert "FILE.py" in called(lessons, cwd=tmp_path, env=plain_environ())


OTHERS = {
    "of older sources": 'extern "C" const char* treino_lanes_sources() { return "older"; }',
    "of nobody knows what": 'extern "C" int something() { return 1; }',
}
CALL = 'extern "C" const void* treino_lanes(int, int*) { __builtin_trap(); }'


@pytest.mark.release
@pytest.mark.skipif(not shutil.which("g++"), reason="needs g++")
def test_a_library_of_other_sources_is_told_of_and_not_called(tmp_path):
    for number, source in enumerate(OTHERS.values()):
        (tmp_path / "other.cpp").write_text(f"{source}\n{CALL}")
        line = ["g++", "-shared", "-fPIC", tmp_path / "other.cpp", "-o", tmp_path / f"{number}.so"]
        called(line)
    whole = (tmp_path / "0.so").read_bytes()
    (tmp_path / "2.so").write_bytes(whole[: len(whole) // 2])
    tree = tmp_path / "tree"
    shutil.copytree(ROOT / "src", tree, copy_function=os.symlink, ignore=shutil.ignore_patterns("_lanes.so"))
    shutil.copy(tmp_path / "0.so", tree / PACKAGE / "_lanes.so")
    code = (
        "import sys; from pathlib import Path; from treino.engine.kernels.lanes_library import *\n"
        "for n in range(3): file = Path(sys.argv[1], f'{n}.so'); print(libraries(file), why_missing(file))"
    )
    environ = plain_environ() | {"PYTHONPATH": str(tree)}
    of_others = called([sys.executable, "-c", code, tmp_path], env=environ).splitlines()
    assert [line[:3] for line in of_others] == ["() "] * 3
    assert ["other sources" in line for line in of_others] == [True, True, False]
    assert "can't be loaded" in of_others[2]
    found = called([sys.executable, CHECK, "--without-lanes"], env=environ)
    assert found.count("not there: its library was compiled from other sources") == 2
