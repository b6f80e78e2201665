"""``python -m benchmarks [NAME [--quick]]``: list them, run one, or write the docs from the results."""

import argparse
import ast
import importlib
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks import pages
from benchmarks.result import Result, write

NAMES = (
    "as_taught",
    "study",
    "defaults",
    "mnist",
    "single",
    "roof",
    "population",
    "images",
    "photographs",
    "shifted_answers",
    "image_defaults",
    "kernels",
    "sweep",
    "own_loss",
    "sweep_tools",
    "sweep_noise",
    "judge",
    "folds",
    "ray_sweep",
    "landscape",
    "keyframes",
    "verification",
    "batches",
    "store",
    "watch",
    "alerts",
    "cold",
    "kills",
    "flips",
    "doctor",
    "doctor_mutations",
    "script_studio",
    "script_checkpoints",
    "studio",
    "studio_server",
    "studio_live",
    "reading",
    "millions",
    "service",
    "reading_peers",
    "fan",
    "larger",
    "playground",
    "tables_peers",
    "tables_in_time",
    "tables_kept_aside",
    "tables_with_text",
    "recipe_pieces",
    "refit",
    "rows",
    "tables",
    "fuzz_tables",
)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="\n".join(f"{name:18}{about(name)}" for name in NAMES)
        + f"\n{'docs':18}write the pages in docs/ from benchmarks/results/",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("name", nargs="?", choices=[*NAMES, "docs"], metavar="NAME")
    parser.add_argument("--quick", action="store_true", help="a few seconds, rough figures, nothing written")
    asked = parser.parse_args(argv)
    if asked.name is None:
        parser.print_help()
    elif asked.name == "docs":
        for path, text in pages.render().items():
            path.write_text(text)
            print(path.name)
    else:
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # no process is to compile what others have compiled
        load, begin = os.getloadavg()[0], time.perf_counter()
        result = benchmark(asked.name)(asked.quick)
        print(result.show())
        if not asked.quick:
            print("\nwritten to", write(asked.name, result, time.perf_counter() - begin, load).name)
    return 0


def benchmark(name: str) -> Callable[[bool], Result]:
    run: Callable[[bool], Result] = importlib.import_module(f"benchmarks.{name}").run
    return run


def about(name: str) -> str:
    """The first line of the script's docstring."""
    text = (Path(__file__).parent / f"{name}.py").read_text()
    return (ast.get_docstring(ast.parse(text)) or "").partition("\n")[0]


if __name__ == "__main__":
    sys.exit(main())
