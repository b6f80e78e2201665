"""What a checkpoint of a script costs: the script's time for the fork, and what its copy holds.

The script holds 100 MB of its own beside what Python and torch take, and changes 5 MB of it at each step:
2.5 MB of weights, and their gradients, in place. Checkpoints are marked one after another, some steps apart.
The memory is Linux's own account of it: what a copy shares with no other process.
"""

import os
import statistics
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.result import Result, Table
from benchmarks.timing import budget
from treino_studio.script.branches import memory_of
from treino_studio.script.process import ScriptProcess

MOST_MS, MOST_PERCENT = 10.0, 5.0
COPIES, QUICK_COPIES = 20, 3
APART = 5  # steps between two checkpoints
SCRIPT = """
import sys, time, torch
from treino_studio.script.session import Session

told = open(sys.argv[1], "w", buffering=1)
make = Session._checkpoint

def timed(session, command):
    began = time.process_time()
    make(session, command)
    print(time.process_time() - began, file=told)

Session._checkpoint = timed
torch.set_num_threads(1)
rest = torch.ones(95 * 1_000_000 // 4)
weight = torch.nn.Parameter(torch.ones(2_500_000 // 4))
weight.grad = torch.ones_like(weight)
optimizer = torch.optim.SGD([weight], lr=1e-3, foreach=False)
while True:
    weight.grad.copy_(rest[: len(weight)])
    optimizer.step()
"""


def measured(folder: Path, copies: int) -> tuple[list[float], list[int], int]:
    """-> (ms of processor time for each, bytes of each copy, bytes of the script)."""
    script, told = folder / "train.py", folder / "seconds.txt"
    script.write_text(SCRIPT)
    with Path(os.devnull).open("w") as nowhere:
        process = ScriptProcess.start(script, [str(told)], checkpoints=True, stderr=nowhere)
    process.send({"do": "checkpoints", "on": False})
    process.send({"do": "step", "count": APART})
    checkpoints: list[dict[str, Any]] = []
    for message in process.messages():
        if "checkpoints" in message:
            checkpoints = message["checkpoints"]["list"]
        if message.get("paused"):
            if len(checkpoints) == copies:
                break
            process.send({"do": "checkpoint"})
            process.send({"do": "step", "count": APART})
    held = [memory_of(copy.process.pid)["Private_Dirty"] for copy in process.copies]
    whole = memory_of(process.pid)["Anonymous"]
    process.close()
    return [1000 * float(line) for line in told.read_text().split()], held, whole


def run(quick: bool) -> Result:
    with tempfile.TemporaryDirectory() as place:
        ms, held, whole = measured(Path(place), QUICK_COPIES if quick else COPIES)
    wait, share = statistics.median(ms), statistics.median(held) / whole
    rows = (
        (
            "processor time, ms",
            f"{wait:.1f}",
            f"{max(ms):.1f}",
            *budget(wait, MOST_MS, at_most=True),
        ),
        (
            "of the script's memory, %",
            f"{100 * share:.1f}",
            f"{100 * max(held) / whole:.1f}",
            *budget(100 * share, MOST_PERCENT, at_most=True),
        ),
    )
    return Result(
        (Table("Checkpoints of a script", ("a checkpoint takes", "median", "most", "budget", "kept"), rows),),
        f"{len(ms)} of them, {APART} steps apart, of a script with {whole / 1e6:.0f} MB: 100 MB of its "
        "own, of which each step changes 5 MB, beside Python and torch. The time is the script's own, "
        "which it waits. The memory: what a copy shares with no other process, after all are made.",
        ("Tables of pages, which Linux keeps for each process: up to 2 KB a megabyte.",),
        figures={"fork": f"{wait:.1f} ms", "memory": f"{100 * share:.1f} %"},
    )
