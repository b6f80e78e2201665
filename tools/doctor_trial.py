"""Try the rules that read the log on a folder of scripts: faults found on their line, missed, or made up.

``python -m tools.doctor_trial FOLDER [PATTERN ...] [--only RULE] [--every K] [--right] [--show EVENT]``

FOLDER holds ``faulty/`` and ``correct/``, as ``doctor/tests/bed`` does.
Expected findings stand in the scripts' first lines: ``# expect: rule @ line``. Each script runs in a process
of its own, forked from one that has imported torch.
"""

import argparse
import fnmatch
import linecache
import os
import pickle
import signal
import sys
import traceback
import types
import warnings
from collections import Counter
from importlib import import_module
from pathlib import Path
from typing import Any

from bed_scripts import found_at, header, missing

LIMIT = 60  # seconds
WARM = (
    *("torch", "sklearn.datasets", "sklearn.metrics", "sklearn.model_selection", "sklearn.preprocessing"),
    *("torch.distributions", "torch.optim.lr_scheduler", "torch.utils.data", "torch._dynamo", "pandas"),
    *("treino_doctor.record.recorder", "treino_doctor.rules"),
)


def main() -> None:
    """Run the scripts that the command line names, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("patterns", nargs="*", default=["*"])
    parser.add_argument("--only", help="the faulty scripts of one rule")
    parser.add_argument("--every", type=int, default=1, help="one script in so many")
    parser.add_argument("--right", action="store_true")
    parser.add_argument("--faulty", action="store_true")
    parser.add_argument("--show", help="print the events of this kind, of each script")
    asked = parser.parse_args()
    for name in WARM:
        import_module(name)
    paths = [p for p in chosen(asked.folder, asked.patterns) if not missing(p)]
    paths = [p for p in paths if not (asked.right and not is_right(p)) and not (asked.faulty and is_right(p))]
    if asked.only:
        paths = [p for p in paths if is_right(p) or asked.only in faults_of(p)]
    table({p: forked(p, asked.show) for p in paths[:: asked.every]}, asked.only)


def chosen(folder: Path, patterns: list[str]) -> list[Path]:
    """Scripts whose names fit one of the patterns."""
    every = sorted((folder / "faulty").glob("*.py")) + sorted((folder / "correct").glob("*.py"))
    return [p for p in every if any(fnmatch.fnmatch(p.stem, pattern) for pattern in patterns)]


def is_right(path: Path) -> bool:
    """Whether nothing is wrong with a script."""
    return path.parent.name == "correct" or ".mended" in path.name


def faults_of(path: Path) -> set[str]:
    """The rules that report a script's faults."""
    told = header(path)
    return {rule for rule, _ in told["expect"] + told["missed"]}


def forked(path: Path, show: str | None) -> dict[str, Any]:
    """What is found in a script that runs in a child process."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        signal.alarm(LIMIT)
        warnings.resetwarnings()
        said = os.dup(1)
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        try:
            answer = examined(path, show, said)
        except BaseException:
            answer = {"findings": [], "defects": [traceback.format_exc()[-600:]]}
        with os.fdopen(writer, "wb") as pipe:
            pipe.write(pickle.dumps(answer))
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        data = pipe.read()
    os.waitpid(child, 0)
    return pickle.loads(data) if data else {"findings": [], "defects": ["died"]}


def examined(path: Path, show: str | None, said: int) -> dict[str, Any]:
    """Run a script under the record; decide from its log."""
    import torch

    from treino_doctor.record.lines import watch_file
    from treino_doctor.record.recorder import Recorder
    from treino_doctor.rules import decide

    torch.set_num_threads(1)
    watch_file(str(path))
    main_module = types.ModuleType("__main__")
    main_module.__file__ = str(path)
    sys.modules["__main__"], sys.argv = main_module, [str(path)]
    sys.path.insert(0, str(path.parent))
    text = path.read_text()
    linecache.cache[str(path)] = len(text), None, text.splitlines(keepends=True), str(path)
    recorder, error = Recorder(), ""
    recorder.install()
    try:
        exec(compile(text, str(path), "exec", dont_inherit=True), main_module.__dict__)
    except BaseException as raised:
        error = type(raised).__name__
    recorder.stop(finished=not error, error=error)
    for event in recorder.log.events if show else ():
        if type(event).__name__ == show:
            os.write(said, f"{path.stem}: {event}\n".encode())
    findings, defects = decide(recorder.log)
    defects += recorder.hooks.defect_sentences()
    return {"findings": [(f.rule, f.line, f.message) for f in findings], "defects": defects}


def table(results: dict[Path, dict[str, Any]], only: str | None) -> None:
    """Print, by rule, what was missed, off its line or reported wrongly, and how many were found."""
    found, expected, said = Counter[str](), Counter[str](), list[str]()
    for path, answer in results.items():
        told, places = header(path), [(rule, line) for rule, line, _ in answer["findings"]]
        faults = told["expect"] + told["missed"]
        said += [f"defect    {path.stem}: {defect}" for defect in answer["defects"]]
        known = {rule for rule, _ in faults + told["allowed"]}
        wrong = "alarm" if is_right(path) else "beside"
        said += [f"{wrong:9} {path.stem}: {r} {n} {m}" for r, n, m in answer["findings"] if r not in known]
        for rule, line in faults:
            if only and rule != only:
                continue
            expected[rule] += 1
            own = [n for r, n in places if r == rule and n is not None]
            on_line = found_at(rule, line, told, places)
            found[rule] += on_line
            what = "off line" if own else "missed"
            said += [] if on_line else [f"{what:9} {path.stem}: {rule} {line} {own}"]
    print(*sorted(said), sep="\n")
    for rule, count in sorted(expected.items()):
        print(f"{rule:34} {found[rule]:4} of {count}")
    print(f"{'all':34} {sum(found.values()):4} of {sum(expected.values())}; {len(results)} scripts")


if __name__ == "__main__":
    main()
