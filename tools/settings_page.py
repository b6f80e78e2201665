"""The page ``docs/settings.md``: every setting, the exit statuses, and the names of the registries."""

from treino.data.builtins import BUILTINS
from treino.engine.augmentation import KINDS
from treino.engine.optim import readers
from treino.engine.registries import REGISTRIES
from treino.settings.spec import FLAGS, GROUPS, OF_SOME, OFF, Settings, group_of

EXIT_STATUSES = (
    "## Exit status",
    "",
    "| status | what it says of a command |",
    "|---|---|",
    "| 0 | done; of what was trained at least one network did not diverge |",
    "| 4 | done, and every network that was trained diverged: the document says `status: diverged` |",
    "| 2 | bad input |",
    "| 130 | Ctrl-C: what was trained is saved |",
    "| 1 | any other error, such as a full disk or too little memory |",
    "",
    "`treino verify` also ends with 1 if the two trainings [differ](verify.md), and `treino doctor SCRIPT`",
    "ends with the script's own status.",
)


def settings_table() -> str:
    """The table of settings and the exit statuses as Markdown."""
    lines = [
        "# The settings",
        "",
        "Every flag of `treino train`; in Python the same names with underscores are arguments of `tr.fit`.",
        "",
    ]
    for group in GROUPS.values():
        lines += [f"## {group}", "", "| flag | default | what it is |", "|---|---|---|"]
        for name, field in Settings.model_fields.items():
            if group_of(name) == group:
                value = (
                    ",".join(map(str, field.default)) if isinstance(field.default, tuple) else field.default
                )
                empty = "none" if OFF.get(name, 0) is None else "decided"
                default = {"": "none", "None": empty, "True": "yes", "False": "no"}.get(
                    str(value), str(value)
                )
                lines.append(f"| `{FLAGS[name]}` | {default} | {field.description} |")
        lines.append("")
    return "\n".join([*lines, *EXIT_STATUSES, ""])


def names_table() -> str:
    """The entries of every registry as Markdown, for the end of ``docs/settings.md``."""
    lines = ["## Names", "", "| `DATA` | rows | features | what it is |", "|---|---|---|---|"]
    lines += [f"| `{name}` | {b.rows:,} | {b.features} | {b.about} |" for name, b in BUILTINS.items()]
    lines.append("")
    for setting, registry in REGISTRIES.items():
        lines += [f"| `{FLAGS[setting]}` | what it is |", "|---|---|"]
        lines += [f"| `{name}` | {entry.about} |" for name, entry in registry.items()]
        lines.append("")
    lines += [kinds_table(), ""]
    lines += [f"`{FLAGS[name]}` is read by {', '.join(readers(name))}." for name in OF_SOME]
    return "\n".join(lines)


def kinds_table() -> str:
    """The kinds as Markdown, for the docs."""
    lines = ["| `--augment` | usual | most | what it is |", "|---|---|---|---|"]
    for name, kind in KINDS.items():
        usual = "by size" if kind.usual is None else f"{kind.usual:g}"
        lines.append(f"| `{name}` | {usual} | {kind.most:g} | {kind.about} |")
    return "\n".join(lines)


def settings_page() -> str:
    """The text of ``docs/settings.md``."""
    return f"{settings_table()}\n{names_table()}\n"


if __name__ == "__main__":
    print(settings_page())
