"""Trains with the treino that is installed, as every wheel must: ``python tools/installation_check.py``.

Prints a description of the kernel ``lanes``. Exits with 1 if the kernel is missing, or trains to
another loss than the kernel in torch; with ``--without-lanes``, if it is there.
"""

import sys
import tempfile
from pathlib import Path

import treino as tr
from treino.cli.doctor import check
from treino.engine.kernels.lanes_library import why_missing


def loss(engine: str | None, folder: Path) -> float:
    """The loss after a short training, in which only the engine that is named is used."""
    return float(tr.fit("iris", epochs=3, engine=engine, parent=folder, lean=True).losses[-1])


def main(words: list[str]) -> str | None:
    """Return what is wrong, or None."""
    print("treino:", tr.__file__)
    print("engines:", dict(tr.engines())["lanes"])
    doctor = {row["name"]: row for row in check()["checks"]}["engine lanes"]
    print("doctor:", doctor["value"], doctor["ok"])
    with tempfile.TemporaryDirectory() as folder:
        by_torch = loss("batched", Path(folder))
        others = [loss(None, Path(folder))]
        if "--without-lanes" in words:
            if why_missing() is None:
                return "lanes is there"
        elif why_missing() is not None:
            return "lanes is not there"
        else:
            others.append(loss("lanes", Path(folder)))
        print("losses:", by_torch, *others)
    return None if all(abs(other - by_torch) < 1e-4 for other in others) else "the losses differ"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
