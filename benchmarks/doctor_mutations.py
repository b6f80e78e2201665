"""What the doctor finds in hundreds of correct scripts of which one line was changed by a program.

The operators stand in ``doctor/tests/mutations.py``; the scripts are the correct ones of the doctor's bed
and its faulty ones fixed.
"""

import tempfile
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from benchmarks.result import Result, Table
from mutations import FAULTS, OPERATORS, Judged, judge, scripts, variants

MOST, FEW = 15, 1  # scripts for each operator
WORKERS = 2
METHOD = (
    "Each operator on at most {most} of the {scripts} correct and fixed scripts of the bed, evenly taken, "
    "wherever the script's form leaves no doubt about what the change means. A fault counts as found within "
    "three lines."
)


def run(quick: bool) -> Result:
    asked = variants(FEW if quick else MOST)
    if quick:  # the tests try every operator
        asked = asked[::6]
    with tempfile.TemporaryDirectory() as folder:
        places = [Path(folder) / str(i) for i in range(len(asked))]
        for place in places:
            place.mkdir()
        if quick:
            judged = list(map(judge, asked, places))
        else:
            with ProcessPoolExecutor(WORKERS) as pool:
                judged = list(pool.map(judge, asked, places))
    by: dict[str, list[Judged]] = defaultdict(list)
    for j in judged:
        by[j.variant.operator].append(j)
    rows = []
    for operator in OPERATORS:
        if not (found := by[operator.__name__]):
            continue
        rule = found[0].variant.rule or "silence"
        right = sum(j.found for j in found) if operator in FAULTS else sum(not j.alarms for j in found)
        alarms = sum(bool(j.alarms) for j in found)
        rows.append((operator.__name__, rule, str(len(found)), f"{right / len(found):.1%}", str(alarms)))
    faulty = [j for j in judged if j.variant.rule]
    harmless = [j for j in judged if not j.variant.rule]
    wrong = tuple(
        (j.variant.name, j.variant.rule or "silence", ", ".join(f"{r}:{n}" for r, n in j.alarms) or "nothing")
        for j in judged
        if not j.right
    )
    figures = {
        "variants": len(judged),
        "found": f"{sum(j.found for j in faulty) / max(1, len(faulty)):.1%}",
        "silent": f"{sum(not j.alarms for j in harmless) / max(1, len(harmless)):.1%}",
        "faulty": len(faulty),
        "harmless": len(harmless),
        "defects": sum(bool(j.defects) for j in judged),
    }
    return Result(
        (
            Table(
                "One line changed",
                ("operator", "expected", "variants", "as expected", "other findings"),
                tuple(rows),
            ),
            Table("Not as expected", ("variant", "expected", "said beside it"), wrong),
        ),
        METHOD.format(most=FEW if quick else MOST, scripts=len(scripts())),
        left_out=("scripts with several optimizers, closures, scalers or gradients made by hand",),
        figures=figures,
    )
