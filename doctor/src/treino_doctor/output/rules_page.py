"""The page of all rules, for the documentation, and the section of one, for ``--explain``.

``python -m treino_doctor.output.rules_page`` prints the page.
"""

import re
from textwrap import indent

from treino_doctor.base.words import N_, _
from treino_doctor.rules import GROUPS, rules
from treino_doctor.rules.rule import PRELUDE, Rule

_WORD = re.compile(r"\{\w+:[^|}]*\|([^}]*)\}")  # the word for a number, one or many
_NUMBER = re.compile(r"\{\w+\}")  # filled in by a finding
SURE = {
    True: N_("certain: proven from state (the graph, tensor versions, shapes, values)"),
    False: N_("likely: a cause and a measured symptom"),
}


def unfilled(sentence: str) -> str:
    """A sentence of a rule without a finding's numbers."""
    return _NUMBER.sub("…", _WORD.sub(r"\1", sentence))


def page() -> str:
    """Markdown: a table of all rules, then each with its two examples."""
    lines = [
        "# The doctor's rules",
        "",
        "Written from the registry: each sentence stands in the rule's file in `src/treino_doctor/rules`.",
        "",
        "*Certain* means proven from state (the graph, tensor versions, shapes, values); *likely* means a",
        "cause and a measured symptom. *wrong* trains or measures something else than meant, *risk* may do",
        "so, *waste* only costs time or memory. `treino-doctor --explain RULE` prints one of them.",
        "",
        "| rule | | |",
        "|---|---|---|",
    ]
    for rule in rules().values():
        sure = "certain" if rule.certain else "likely"
        lines.append(f"| [`{rule.id}`](#{rule.id}) | {sure} | {rule.severity} |")
    lines += ["", "Every example starts with:", "", "```py", PRELUDE.rstrip(), "```"]
    for group in GROUPS:
        lines += ["", f"## {group.capitalize()}"]
        for rule in (r for r in rules().values() if r.group == group):
            lines += ["", f"### {rule.id}", "", *_section(rule)]
    return "\n".join(lines) + "\n"


def _section(rule: Rule) -> list[str]:
    """The lines of one rule, in English."""
    lines = [_WORD.sub(r"\1", rule.why), "", f"To do: {rule.fix}", "", f"How safe that is: {rule.safety}", ""]
    lines += [f"What it does not see: {rule.limits}", ""]
    lines += ["Wrong:", "", "```py", rule.wrong.rstrip(), "```", ""]
    return [*lines, "Right:", "", "```py", rule.right.rstrip(), "```"]


def section(rule: Rule) -> str:
    """One rule as plain text in the reader's language, with its two examples."""
    wrong, right = (indent(code.rstrip(), "    ", bool) for code in (rule.wrong, rule.right))
    texts = [f"{rule.id}  ({_(SURE[rule.certain])})", unfilled(_(rule.why))]
    texts += [_("To do: {fix}").format(fix=unfilled(_(rule.fix)))]
    return "\n\n".join([*texts, f"{_('Wrong:')}\n{wrong}", f"{_('Right:')}\n{right}"])


if __name__ == "__main__":
    print(page(), end="")
