"""Whether the doctor says of a rewritten script what it says of the script."""

from pathlib import Path
from zlib import crc32

from bed_scripts import NEAR, faulty, header, needs, right
from rewriting import Rewrite, rewritten
from zygote import examined

LONG = 6  # lines in one statement that a fault may be on: rewritten, they are one
OTHERWISE = {
    ("in_methods", "ti_asked_lr_high"): "lr_too_high is told fifteen lines from the setting",
    ("as_one_table", "xf_grouped_copies_two_passes"): "an alarm: test_in_train, of a right script",
}
"""(way, script) of which the doctor is known to say something else when it is rewritten so."""


def faulty_ones(way: str, rewrite: Rewrite, one_in: int) -> list[Path]:
    """For one rule in so many, a script that can be rewritten so: always the same ones."""
    scripts: dict[str, Path] = {}
    for path in _shuffled(way, faulty()):
        if not header(path)["expect"]:
            continue
        rule = header(path)["expect"][0][0]
        is_sampled = crc32(f"{way} {rule}".encode()) % one_in == 0 and rule not in scripts and not needs(path)
        if is_sampled and _places(path, rewrite) is not None:
            scripts[rule] = path
    return list(scripts.values())


def right_ones(way: str, rewrite: Rewrite, count: int) -> list[Path]:
    """A few right scripts that can be rewritten so."""
    scripts: list[Path] = []
    for path in _shuffled(way, right()):
        if len(scripts) < count and not needs(path) and _places(path, rewrite) is not None:
            scripts.append(path)
    return scripts


def differences(paths: list[Path], rewrite: Rewrite, folder: Path) -> list[str]:
    """What the doctor says otherwise of these scripts when they are rewritten."""
    wrong, broken = list[str](), list[str]()
    for path in paths:
        made = _places(path, rewrite)
        assert made is not None
        source, places = made
        script = folder / path.name
        script.write_text(source)
        seen = examined(script)
        if seen["status"]:
            broken.append(path.stem)  # it needs an array where the other words give a tensor, or so
            continue
        findings = [(rule, line) for rule, line, _ in seen["findings"]]
        wrong += [f"{path.stem}: {defect}" for defect in seen["defects"]]
        wrong += [f"{path.stem}: {rule} at {line}" for rule, line in findings if rule not in places]
        for rule in dict.fromkeys(rule for rule, _ in header(path)["expect"]):
            near = any(r == rule and abs(line - at) <= NEAR for r, line in findings for at in places[rule])
            wrong += [] if near else [f"{path.stem}: {rule} at {places[rule]}, found {findings}"]
    return wrong if len(broken) <= len(paths) // 3 else [f"do not run: {broken}"]


def _shuffled(way: str, paths: list[Path]) -> list[Path]:
    known = [p for p in paths if (way, p.stem) not in OTHERWISE]
    return sorted(known, key=lambda p: crc32(f"{way} {p.stem}".encode()))


def _places(path: Path, rewrite: Rewrite) -> tuple[str, dict[str, list[int]]] | None:
    """The new source, and for each rule the lines on which a fault may now be named."""
    made = rewritten(path.read_text(), rewrite)
    if made is None:
        return None
    source, lines = made
    places: dict[str, list[int]] = {}
    for rule, line in (*header(path)["expect"], *header(path)["allowed"]):
        near = [n for n in range(line, line - LONG, -1) if n in lines]
        places.setdefault(rule, []).extend(lines[near[0]] if near else [])
    return source, places
