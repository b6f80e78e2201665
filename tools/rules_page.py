"""The documentation's page of rules, from the registry: ``python -m tools.rules_page``."""

from treino_doctor.rules import GROUPS, rules
from treino_doctor.rules.examples import PRELUDE

TITLES = {
    "gradients": "Gradients",
    "losses": "Losses",
    "modes": "Modes",
    "data": "Data",
    "settings": "Settings",
}


def page() -> str:
    """Markdown: a table of all rules, then each with its two examples."""
    lines = [
        "# The doctor's rules",
        "",
        "Written from the registry: each sentence stands in the rule's file in `src/treino_doctor/rules`.",
        "",
        "*Certain* means proven from state (the graph, tensor versions, shapes, values); *likely* means a",
        "cause and a measured symptom. *wrong* trains or measures something else than meant, *risk* may do",
        "so, *waste* only costs time or memory.",
        "",
        "| rule | | |",
        "|---|---|---|",
    ]
    for rule in rules().values():
        sure = "certain" if rule.certain else "likely"
        lines.append(f"| [`{rule.id}`](#{rule.id}) | {sure} | {rule.severity} |")
    lines += ["", "Every example starts with:", "", "```py", PRELUDE.rstrip(), "```"]
    for group in GROUPS:
        lines += ["", f"## {TITLES[group]}"]
        for rule in (r for r in rules().values() if r.group == group):
            lines += ["", f"### {rule.id}", "", rule.why, ""]
            lines += [f"To do: {rule.fix}", "", f"How safe that is: {rule.safety}", ""]
            lines += [f"What it does not see: {rule.limits}", ""]
            lines += ["Wrong:", "", "```py", rule.wrong.rstrip(), "```", ""]
            lines += ["Right:", "", "```py", rule.right.rstrip(), "```"]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(page(), end="")
