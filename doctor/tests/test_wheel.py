"""The doctor as pip installs it: one small wheel, which runs beside the torch that is there."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from written import FAULT

DOCTOR = Path(__file__).parent.parent
MOST = 600_000  # bytes of the wheel


def wheel(folder):
    """The wheel, made of a copy: setuptools writes beside what it packs."""
    setuptools = pytest.importorskip("setuptools", reason="needs setuptools>=77")
    if int(setuptools.__version__.split(".")[0]) < 77:
        pytest.skip(f"needs setuptools>=77: {setuptools.__version__} is older, and none is fetched")
    pytest.importorskip("pip", reason="needs pip")
    copy = folder / "doctor"
    ours = shutil.ignore_patterns("__pycache__", "*.egg-info", "build", "tests")
    shutil.copytree(DOCTOR, copy, ignore=ours)
    called(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", copy, copy)
    (made,) = copy.glob("*.whl")
    return made


def called(*words, **environ):
    left_out = {"PYTHONPATH", "PYTHONDONTWRITEBYTECODE"}
    plain = {name: value for name, value in os.environ.items() if name not in left_out}
    done = subprocess.run(
        list(map(str, words)), capture_output=True, text=True, env=plain | environ, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.mark.slow
def test_the_wheel_is_small_and_holds_the_package_alone(tmp_path):
    made = wheel(tmp_path)
    assert made.stat().st_size <= MOST
    with zipfile.ZipFile(made) as opened:
        names = opened.namelist()
        about = opened.read(next(name for name in names if name.endswith("METADATA"))).decode()
    assert {name.split("/")[0].split("-")[0] for name in names} == {"treino_doctor"}
    assert not [name for name in names if name.endswith((".pyc", ".po"))]
    assert [name for name in names if name.endswith(".mo")]
    assert "Requires-Dist: torch>=1.13" in about


@pytest.mark.release
def test_what_is_installed_examines_a_script(tmp_path):
    script, place = tmp_path / "train.py", tmp_path / "place"
    script.write_text(FAULT)
    install = ("-m", "pip", "install", "-q", "--no-deps", "--no-index", "--target", place)
    called(sys.executable, *install, wheel(tmp_path))
    done = called(sys.executable, "-m", "treino_doctor", script, PYTHONPATH=str(place))
    assert done.stdout == ""
    assert "missing_zero_grad" in done.stderr
    assert "train.py:6" in done.stderr
