"""Scripts of a framework that are right, and the same with one fault each.

A line of such a script that begins with ``#!`` tells a fault, and which text the line above it has then:

    loss = F.cross_entropy(net(x), y)
    #! softmax_before_cross_entropy: loss = F.cross_entropy(net(x).softmax(1), y)

``#! RULE:`` alone leaves the line out. A fault may take several such lines; it has to be told on the first of
them, or on the line above ``#@ RULE``. ``#? RULE: TEXT`` is a fault that is known and not seen. After two
underscores a rule may have a name of the case: ``right__NAME`` is another form that is right.
"""

import re
from dataclasses import dataclass
from pathlib import Path

_EDIT = re.compile(r"\s*#([!?@]) (\w+)(?::(?: (.*))?)?")
NEAR = 3  # lines that a finding may be off


@dataclass(frozen=True)
class Fault:
    """A script with one fault: its case, its rule ("right" for none), the line on which it is told, its
    text, and whether it is seen.
    """

    case: str
    rule: str
    line: int
    text: str
    seen: bool


def right(script: Path) -> str:
    """The script without its faults, each line where it was."""
    return "\n".join("" if _EDIT.fullmatch(line) else line for line in script.read_text().splitlines()) + "\n"


def faults(script: Path) -> list[Fault]:
    """All faults of a script, in their order."""
    lines = script.read_text().splitlines()
    marks = [(i, *m.groups()) for i, line in enumerate(lines) if (m := _EDIT.fullmatch(line))]
    found: dict[str, Fault] = {}
    for rule in dict.fromkeys(rule for _, kind, rule, _ in marks if kind != "@"):
        own = [(i, kind, text or "") for i, kind, name, text in marks if name == rule]
        changed, places, seen = right(script).splitlines(), [], True
        for i, kind, text in own:
            at = next(j for j in range(i - 1, -1, -1) if not _EDIT.fullmatch(lines[j]))
            places.append((kind != "@", at + 1))
            if kind != "@":
                indent = re.match(r"\s*", lines[at])[0]
                changed[at] = indent + (text or "pass")
                seen = seen and kind == "!"
        name, line = rule.partition("__")[0], min(places)[1]
        found[rule] = Fault(rule, name, line, "\n".join(changed) + "\n", seen)
    return list(found.values())


SCRIPTS = sorted((Path(__file__).parent / "scripts").glob("*.py"))


def table() -> str:
    """The faults by script, in Markdown: ● told on its line, ○ known and not seen; empty where not tried."""
    every = {script.stem: faults(script) for script in SCRIPTS}
    rules = sorted({f.rule for some in every.values() for f in some if f.rule != "right"})
    lines = ["| fault | " + " | ".join(name.replace("_", " ") for name in every) + " |"]
    lines.append("|---" * (len(every) + 1) + "|")
    for rule in rules:
        marks = ("".join("●" if f.seen else "○" for f in some if f.rule == rule) for some in every.values())
        lines.append(f"| [`{rule}`](doctor-rules.md#{rule}) | " + " | ".join(marks) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(table(), end="")
