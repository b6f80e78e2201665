"""An environment with people's frameworks: ``python environment.py [FOLDER]`` makes it.

Without FOLDER it is ``doctor/build/frameworks``, where the tests find it. They take another one, too, whose
interpreter ``DOCTOR_FRAMEWORKS`` names; without either they look in the environment that they run in.
"""

import os
import subprocess
import sys
import venv
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "build" / "frameworks"
WHOLE = "all is installed"  # the name of a file
PACKAGES = (
    *("torch", "torchvision", "lightning", "transformers", "accelerate", "fastai", "timm"),
    *("pytorch-ignite", "skorch", "scikit-learn", "pandas"),
)


def make(folder: Path) -> None:
    """Some gigabytes: each in its newest release that goes with the others."""
    venv.create(folder, with_pip=True)
    subprocess.run([folder / "bin/python", "-m", "pip", "install", "-q", *PACKAGES], check=True)
    (folder / WHOLE).touch()
    print("The tests find it." if folder == FOLDER else f"export DOCTOR_FRAMEWORKS={folder}/bin/python")


@cache
def interpreter() -> str:
    """That of the frameworks."""
    made = str(FOLDER / "bin/python") if (FOLDER / WHOLE).exists() else sys.executable
    return os.environ.get("DOCTOR_FRAMEWORKS") or made


@cache
def has(package: str) -> bool:
    """Whether that environment has it."""
    code = f"import importlib.util as u, sys; sys.exit(u.find_spec({package!r}) is None)"
    return subprocess.run([interpreter(), "-c", code], check=False).returncode == 0


if __name__ == "__main__":
    make(Path(*sys.argv[1:2]).resolve() if sys.argv[1:] else FOLDER)
