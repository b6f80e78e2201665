"""The doctor's overhead while a program runs and beside it, and what it finds in scripts with faults."""

from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from bed_scripts import faulty, found_at, header, right
from benchmarks.doctor_cost import FIRST, ROUNDS, cost_tables
from benchmarks.result import Result, Table
from benchmarks.timing import budget
from treino_doctor.rules import rules
from zygote import examined


def bed_table(quick: bool) -> tuple[Table, Table, Table, dict[str, str]]:
    """Faults on their line, in all and by rule, and alarms on right scripts.

    The rules were written by these scripts: what they find on others is another question.
    """
    rows, missed, figures = [], [], dict[str, str]()
    by_rule = {rule: [0, 0, 0] for rule in rules()}  # on the line, on another one, of so many
    wrong, good = (f()[:: 40 if quick else 1] for f in (faulty, right))
    paths = [*wrong, *good]
    if quick:
        seen = {path: examined(path) for path in paths}
        plain = {path: examined(path, watched=False) for path in paths[:1]}
    else:
        with ProcessPoolExecutor(2) as pool:
            seen = dict(zip(paths, pool.map(examined, paths, chunksize=4), strict=True))
            alone = pool.map(partial(examined, watched=False), paths, chunksize=4)
            plain = dict(zip(paths, alone, strict=True))
    differ = [p for p, of in plain.items() if _apart(of, seen[p])]
    if not quick:  # once more: a script that prints a time differs from itself
        differ = [p for p in differ if _changed_by_the_doctor(p)]
    missed += [(path.stem, "the same output", "another one") for path in differ]
    hits: dict[bool, list[bool]] = {True: [], False: []}
    strange = 0
    for path in wrong:
        said = header(path)
        places = [(rule, line) for rule, line, _ in seen[path]["findings"]]
        faults = said["expect"] + said["missed"]
        for rule, line in faults:
            on_line, told = found_at(rule, line, said, places), any(r == rule for r, _ in places)
            hits[rules()[rule].certain].append(on_line)
            by_rule[rule][0] += on_line
            by_rule[rule][1] += told and not on_line
            by_rule[rule][2] += 1
            if on_line != ((rule, line) in said["expect"]):
                missed.append((path.stem, f"{rule} at {line}", _said(places)))
        known = {r for r, _ in faults + said["allowed"]}
        strange += any(rule not in known for rule, _ in places)
    allowed = {p: {rule for rule, _ in header(p)["allowed"]} for p in good}
    alarms = [p for p in good if any(rule not in allowed[p] for rule, _, _ in seen[p]["findings"])]
    for path in alarms:
        said_there = [(rule, line) for rule, line, _ in seen[path]["findings"]]
        missed.append((path.stem, "silence", _said(said_there)))
    defects = sum(bool(s["defects"]) for s in seen.values())
    for certain, name in ((True, "certain"), (False, "likely")):
        found = hits[certain]
        share = sum(found) / len(found) if found else 1.0
        figures[name] = f"{share:.1%}"
        rows.append((name, f"{sum(found)} of {len(found)}", f"{share:.1%}", "", ""))
    figures["alarms"] = str(len(alarms))
    for name, count, of in (
        ("alarms", len(alarms), f"{len(good)} right scripts"),
        ("others", strange, f"{len(wrong)} faulty scripts"),
        ("defects", defects, f"{len(seen)} scripts"),
        ("other output", len(differ), f"{len(plain)} scripts"),
    ):
        rows.append((name, f"{count} of {of}", "", *budget(count, 0, at_most=True)))
    return (
        Table("What is found", ("", "", "share", "budget", "kept"), tuple(rows)),
        Table(
            "By rule",
            ("rule", "scripts", "on its line", "on another", "not found"),
            tuple(
                (r, str(of), str(on), str(off), str(of - on - off)) for r, (on, off, of) in by_rule.items()
            ),
        ),
        Table("Not as expected", ("script", "expected", "said"), tuple(missed)),
        figures,
    )


def _apart(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return any(one[name] != other[name] for name in ("output", "status"))


def _changed_by_the_doctor(path: Path) -> bool:
    """Whether a script says the same twice, and something else where the doctor watches."""
    one, two = (examined(path, watched=False) for _ in range(2))
    return not _apart(one, two) and _apart(one, examined(path))


def _said(places: list[tuple[str, int]]) -> str:
    return ", ".join(f"{rule}:{line}" for rule, line in places) or "nothing"


def run(quick: bool) -> Result:
    running, beside, cost = cost_tables(quick)
    found, by_rule, missed, bed = bed_table(quick)
    return Result(
        (running, beside, found, by_rule, missed),
        f"One thread; medians of {ROUNDS} rounds, each of two fresh processes, with the doctor and without, "
        "that take turns on one core, line by line of what they print; what was imported is left out of "
        "Python's searches for garbage in both. Times are of the processor. Most of what is watched is in "
        f"the first {FIRST} epochs; the start is with importing the doctor, the end with all that is "
        "decided. On the bed a fault counts as found within three lines; 'others' are faulty scripts of "
        "which something else was said, too.",
        figures=cost | bed,
    )
