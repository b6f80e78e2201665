"""The doctor's overhead, in all and rule by rule, and what it finds in scripts with known faults.

Cost is CPU time with and without it, interleaved: of whole processes, with all that is imported and decided,
and of the training alone in its first steps. Of a rule: of the sensors alone that fill the facts which its
decision reads, so that rules which read the same facts share a figure.
"""

import contextlib
import inspect
import io
import resource
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import torch
from tests.diagnosis.bed import BED, faulty, found_at, header, right
from tests.diagnosis.zygote import examined
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from benchmarks.result import Result, Table
from benchmarks.timing import Spent, budget, interleaved, processor_ratio, threads
from treino.diagnosis.exam import Exam
from treino.diagnosis.rules import rules

FACTS = {
    "optimizers": ("backward", "settings"),
    "manual": ("backward",),
    "backwards": ("backward", "lines"),
    "relus": ("backward", "lines"),
    "losses": ("backward", "nets", "losses", "lines"),
    "nets": ("backward", "nets"),
    "calls": ("backward", "nets", "plain_use"),
    "axes": ("backward", "nets", "axes", "figures"),
    "batch_norms": ("backward", "nets", "norms"),
    "data": ("backward", "nets", "rows", "draws", "losses", "sklearn"),
    "orders": ("backward", "nets", "draws"),
    "unowned": ("backward", "nets", "ownership"),
    "cuts": ("backward", "nets", "ownership", "lines"),
    "clips": ("backward", "clips"),
    "layers": ("backward", "settings", "functional"),
    **dict.fromkeys(("inits", "depth", "schedulers", "seeds"), ("backward", "settings")),
}
"""Facts of ``Seen`` -> the sensors that fill them. The hooks of optimizers are always on; what a net put out
is settled by the next backward.
"""

SENSORS = {sensor for sensors in FACTS.values() for sensor in sensors}
BUDGET = {"digits": 1.10, "large": 1.03}
RECALL = {"certain": 0.95, "likely": 0.80}


def digits(epochs: int) -> None:
    """64-64-10, batch 64, Adam, a DataLoader, evaluation once per epoch: steps of half a millisecond."""
    from sklearn.datasets import load_digits

    torch.manual_seed(0)
    pixels, labels = load_digits(return_X_y=True)
    x, y = torch.tensor(pixels / 16, dtype=torch.float32), torch.tensor(labels)
    loader = DataLoader(TensorDataset(x[:1500], y[:1500]), batch_size=64, shuffle=True)
    net = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
    for _ in range(epochs):
        net.train()
        for xb, yb in loader:
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(net(xb), yb)
            loss.backward()
            optimizer.step()
        net.eval()
        with torch.no_grad():
            print((net(x[1500:]).argmax(1) == y[1500:]).float().mean().item())


def large(steps: int) -> None:
    """784-1024-1024-10, batch 256: a step of more than 5 ms."""
    torch.manual_seed(0)
    x, y = torch.randn(2560, 784), torch.randint(0, 10, (2560,))
    net = nn.Sequential(
        nn.Linear(784, 1024), nn.ReLU(), nn.Linear(1024, 1024), nn.ReLU(), nn.Linear(1024, 10)
    )
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
    for step in range(steps):
        rows = torch.arange(256) + 256 * (step % 10)
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(net(x[rows]), y[rows])
        loss.backward()
        optimizer.step()
    print(loss.item())


PROGRAMS = {"digits": digits, "large": large}
LENGTH = {"digits": 12, "large": 40}
ROUNDS = {"digits": 9, "large": 5}
PROCESSES = {"digits": (30, 9), "large": (200, 5)}  # epochs or steps, rounds
HEAD = """import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
torch.set_num_threads(1)
"""


def process(script: Path, command: list[str]) -> Spent:
    """One process, from its start to its end."""
    begin, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([*command, str(script)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Spent(time.perf_counter() - begin, used)


def whole(program: str, place: Path, quick: bool) -> float:
    """CPU time of ``treino doctor SCRIPT`` / ``python SCRIPT``."""
    length, rounds = (2, 1) if quick else PROCESSES[program]
    script = place / f"{program}.py"
    script.write_text(f"{HEAD}\n\n{inspect.getsource(PROGRAMS[program])}\n\n{program}({length})\n")
    works = {
        "python": partial(process, script, [sys.executable]),
        "doctor": partial(process, script, [sys.executable, "-m", "treino", "doctor"]),
    }
    return processor_ratio(interleaved(works, rounds, warm=int(not quick)), "doctor", "python")


def spent(program: str, length: int, sensors: frozenset[str] | None) -> Spent:
    """One run of so many epochs or steps. sensors: which are on; None: no examination at all."""
    exam = Exam() if sensors is not None else None
    if exam is not None:
        for name in SENSORS - (sensors or frozenset()):
            getattr(exam._watch, name).install = lambda: None
        if "lines" not in (sensors or ()):
            exam._watch.lines.ban()  # others ask for them
        exam.start()
    wall, processor = time.perf_counter(), time.process_time()
    with contextlib.redirect_stdout(io.StringIO()):
        PROGRAMS[program](length)
    found = Spent(time.perf_counter() - wall, time.process_time() - processor)
    if exam is not None:
        exam.stop()
    return found


def costs(program: str, sets: list[frozenset[str]], quick: bool) -> dict[frozenset[str], float]:
    """Processor time with some sensors on / with no examination."""
    length, rounds = LENGTH[program], ROUNDS[program]
    if quick:
        length, rounds = max(length // 8, 1), 1
    works = {"none": partial(spent, program, length, None)}
    works |= {",".join(sorted(some)): partial(spent, program, length, some) for some in sets}
    with threads(1):
        found = interleaved(works, rounds, warm=int(not quick))
    return {some: processor_ratio(found, ",".join(sorted(some)), "none") for some in sets}


def needed(rule: str) -> frozenset[str]:
    """The sensors that a rule's facts come from."""
    return frozenset(s for fact in rules()[rule].watches for s in FACTS.get(fact, tuple(SENSORS)))


def percent(ratio: float) -> str:
    return f"{100 * (ratio - 1):+.1f} %"


def cost_tables(quick: bool) -> tuple[Table, Table, Table, dict[str, str]]:
    every, some = frozenset(SENSORS), 15 if quick else 1
    without = {sensor: every - {sensor} for sensor in sorted(SENSORS)[::some]}
    chosen = list(rules())[::some]
    wanted = {every, *without.values(), *(needed(rule) for rule in chosen)}
    sets = sorted(wanted, key=lambda some: (len(some), sorted(some)))
    cost = {name: costs(name, sets, quick) for name in PROGRAMS}
    kept, figures = [], {}
    with tempfile.TemporaryDirectory() as place:
        for name, program in PROGRAMS.items():
            ratio, inside = whole(name, Path(place), quick), percent(cost[name][every])
            _limit, ok = budget(ratio, BUDGET[name], at_most=True)
            about = (program.__doc__ or "").partition(".")[0]
            kept.append((name, about, percent(ratio), f"≤ {percent(BUDGET[name])[1:]}", ok, inside))
            figures |= {name: percent(ratio), f"{name}_inside": inside}
    by_rule = tuple(
        (rule, ", ".join(sorted(needed(rule))), *(percent(cost[name][needed(rule)]) for name in PROGRAMS))
        for rule in chosen
    )
    saved = tuple(
        (sensor, *(f"{100 * (cost[name][every] - cost[name][rest]):+.1f}" for name in PROGRAMS))
        for sensor, rest in sorted(without.items())
    )
    steps = ", ".join(f"{LENGTH[name]} {unit}" for name, unit in (("digits", "epochs"), ("large", "steps")))
    heads = (
        "script", "what it is", "CPU time of the process", "budget", "kept", f"the first {steps} alone",
    )  # fmt: skip
    return (
        Table("The doctor as a whole", heads, tuple(kept)),
        Table("Only the sensors of one rule", ("rule", "sensors", "digits", "large"), by_rule),
        Table("What a sensor adds to all others, in percent", ("sensor", "digits", "large"), saved),
        figures,
    )


def bed_table(quick: bool) -> tuple[Table, Table, dict[str, str]]:
    """Recall of expected faults and alarms on right scripts, of every folder of the bed."""
    rows, missed, figures = [], [], {}
    for folder in sorted(p.name for p in BED.iterdir() if (p / "faulty").is_dir()):
        wrong, good = (f(folder)[:: 120 if quick else 1] for f in (faulty, right))
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
        missed += [(folder, path.stem, "the same output", "another one") for path in differ]
        hits: dict[bool, list[bool]] = {True: [], False: []}
        strange = 0
        for path in wrong:
            said = header(path)
            places = [(rule, line) for rule, line, _ in seen[path]["findings"]]
            for rule, line in said["expect"]:
                hits[rules()[rule].certain].append(found_at(rule, line, said, places))
                if not hits[rules()[rule].certain][-1]:
                    missed.append((folder, path.stem, f"{rule} at {line}", _said(places)))
            known = {r for r, _ in said["expect"] + said["allowed"]}
            strange += any(rule not in known for rule, _ in places)
        alarms = [p for p in good if seen[p]["findings"]]
        for path in alarms:
            said_there = [(rule, line) for rule, line, _ in seen[path]["findings"]]
            missed.append((folder, path.stem, "silence", _said(said_there)))
        defects = sum(bool(s["defects"]) for s in seen.values())
        for certain, name in ((True, "certain"), (False, "likely")):
            found = hits[certain]
            share = sum(found) / len(found) if found else 1.0
            figures[f"{folder}_{name}"] = f"{share:.1%}"
            kept = budget(share, RECALL[name], at_most=False)
            rows.append((folder, name, f"{sum(found)} of {len(found)}", f"{share:.1%}", *kept))
        figures[f"{folder}_alarms"] = str(len(alarms))
        for name, count, of in (
            ("alarms", len(alarms), f"{len(good)} right scripts"),
            ("others", strange, f"{len(wrong)} faulty scripts"),
            ("defects", defects, f"{len(seen)} scripts"),
            ("other output", len(differ), f"{len(plain)} scripts"),
        ):
            rows.append((folder, name, f"{count} of {of}", "", *budget(count, 0, at_most=True)))
    return (
        Table("What is found", ("folder", "", "", "share", "budget", "kept"), tuple(rows)),
        Table("Not as expected", ("folder", "script", "expected", "said"), tuple(missed)),
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
    as_whole, by_rule, by_sensor, cost = cost_tables(quick)
    found, missed, bed = bed_table(quick)
    return Result(
        (as_whole, found, missed, by_rule, by_sensor),
        "One thread, medians of interleaved ratios of CPU time; scripts of "
        f"{PROCESSES['digits'][0]} epochs and {PROCESSES['large'][0]} steps. A whole process can take less "
        "time under the doctor: what was imported before the script is left out of Python's searches for "
        "garbage, of which the largest come at its end. On the bed a fault counts as found within three "
        "lines; 'others' are faulty scripts of which something else was said, too.",
        left_out=("rule by rule: the time in which the rules decide at the end, and importing the doctor",),
        figures=cost | bed,
    )
