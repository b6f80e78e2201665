"""What the studio costs a script: under Python, watched in the studio, and with the doctor's findings too.

The scripts take turns, each a process of its own with a reader of all its messages. A script says itself what
processor time its training took, and what the process took from its start to the last line.
"""

import inspect
import os
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.doctor_cost import HEAD, PROGRAMS, percent
from benchmarks.result import Result, Table
from benchmarks.timing import Spent, budget, interleaved, processor_ratio
from treino_studio.script.process import ScriptProcess

LIMIT = 1.05
LENGTH = {"digits": 150, "large": 400}  # epochs, steps
QUICK = {"digits": 2, "large": 4}
ROUNDS = 7
SCRIPT = """{head}
import sys, time

{program}

began = time.process_time()
{name}({length})
training = time.process_time() - began
open(sys.argv[1], "w").write(f"{{training}} {{time.process_time()}}")
"""
WAYS: dict[str, dict[str, Any]] = {
    "python": {},
    "the studio": {"findings": False},
    "the studio, findings": {"findings": True},
}


def spent(script: Path, way: str, whole: dict[str, list[Spent]]) -> Spent:
    """One run. whole: where what the process took is noted; what its training took is returned."""
    begin, told = time.perf_counter(), script.with_suffix(".txt")
    with Path(os.devnull).open("w") as nowhere:
        if way == "python":
            subprocess.run([sys.executable, str(script), str(told)], stdout=nowhere, check=True)
        else:
            process = ScriptProcess.start(script, [str(told)], stdout=nowhere, **WAYS[way])
            for _message in process.messages():
                pass
            assert process.close() == 0
    wall = time.perf_counter() - begin
    training, process_time = map(float, told.read_text().split())
    whole[way].append(Spent(wall, process_time))
    return Spent(wall, training)


def run(quick: bool) -> Result:
    rows, figures = [], dict[str, Any]()
    with tempfile.TemporaryDirectory() as place:
        for name, program in PROGRAMS.items():
            script = Path(place) / f"{name}.py"
            length = (QUICK if quick else LENGTH)[name]
            script.write_text(
                SCRIPT.format(head=HEAD, program=inspect.getsource(program), name=name, length=length)
            )
            whole: dict[str, list[Spent]] = {way: [] for way in WAYS}
            works = {way: partial(spent, script, way, whole) for way in WAYS}
            found = interleaved(works, 1 if quick else ROUNDS, warm=int(not quick))
            for way in list(WAYS)[1:]:
                training = processor_ratio(found, way, "python")
                process = processor_ratio(whole, way, "python")
                limit, kept = budget(training, LIMIT, at_most=True) if way == "the studio" else ("", "")
                about = (program.__doc__ or "").partition(".")[0]
                cells = (name, about, way, percent(training), percent(process))
                rows.append((*cells, limit and f"≤ {percent(LIMIT)[1:]}", kept))
                figures[f"{name}, {way}"] = percent(training)
    heads = ("script", "what it is", "under", "its training", "its process", "budget", "kept")
    return Result(
        (Table("A script in the studio, watched", heads, tuple(rows)),),
        f"Processor time, as more than under Python alone; one thread; medians over {ROUNDS} rounds of each "
        f"round's own ratio, of {LENGTH['digits']} epochs and {LENGTH['large']} steps. Of a process: from "
        "its start to its last line, with everything that is imported. It can be less than under Python, as "
        "what was imported before the script is left out of Python's searches for garbage.",
        ("What the server and the page take, which are other processes.",),
        figures=figures,
    )
