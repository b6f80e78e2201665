"""Help pages in the reader's language: the sentences of cyclopts and the texts of the verbs.

Importing torch would take longer than all the rest of a help page, so names of registries are parsed from
their source files.
"""

import ast
import inspect
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args, get_origin

from cyclopts import Parameter
from cyclopts.help import DefaultFormatter, HelpEntry, HelpPanel, InlineText
from rich.text import Text

from treino.base.apps import entries
from treino.base.console import line
from treino.base.signatures import declare, own_parameters
from treino.base.words import N_, _, placeholders
from treino.settings.spec import FLAGS as FLAGS_OF_SETTINGS
from treino.settings.spec import OF_SOME

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions


# ---- names

ROOT = Path(__file__).parent.parent
REGISTRIES = {  # (file, variable) by setting
    "activation": ("engine/activations.py", "ACTIVATIONS"),
    "init": ("engine/init.py", "INITS"),
    "loss": ("engine/losses.py", "LOSSES"),
    "metric": ("engine/metrics.py", "METRICS"),
    "optimizer": ("engine/optim.py", "OPTIMIZERS"),
    "schedule": ("engine/schedules.py", "SCHEDULES"),
}


def names(setting: str) -> list[str]:
    """The entries of the setting's registry, or the optimizers that read the setting; else empty."""
    if setting in OF_SOME:
        optimizers = dict(_entries(*REGISTRIES["optimizer"]))
        return [name for name, entry in optimizers.items() if setting in _texts(entry)]
    return [name for name, _entry in _entries(*REGISTRIES[setting])] if setting in REGISTRIES else []


def picture_names() -> list[str]:
    """The names of the pictures of a run."""
    own = (name for name, _entry in _entries("reports/pictures/picture_files.py", "PICTURES"))
    return [*own, *entries("treino.pictures")]


def _entries(file: str, variable: str) -> Iterator[tuple[str, ast.expr]]:
    """Yield the keys and value expressions of the dict that the file assigns to this variable."""
    for node in ast.parse((ROOT / file).read_text(encoding="utf-8")).body:
        if not isinstance(node, ast.AnnAssign) or ast.unparse(node.target) != variable:
            continue
        value = node.value.args[0] if isinstance(node.value, ast.Call) else node.value
        if isinstance(value, ast.Dict):
            keys = [ast.literal_eval(key) for key in value.keys if key is not None]
            yield from zip(keys, value.values, strict=True)


def _texts(entry: ast.expr) -> set[object]:
    return {node.value for node in ast.walk(entry) if isinstance(node, ast.Constant)}


# ---- pages

PANELS = N_("Commands"), N_("Arguments"), N_("Parameters")
SETTINGS = {flag: name for name, flag in FLAGS_OF_SETTINGS.items()}
NAMES = N_("OPTIONS"), N_("ARGUMENTS"), N_("COMMAND"), N_("DATA"), N_("RUN"), N_("RUNS"), N_("NAME")
MORE_NAMES = N_("TOPIC"), N_("TARGET"), N_("STR"), N_("INT"), N_("FLOAT"), N_("CHOICE")
FLAGS = {"--help": N_("show this page"), "--version": N_("show the version")}


def in_words(verb: Callable[..., int], more: Iterable[inspect.Parameter] = ()) -> Callable[..., int]:
    """The verb with its help, and that of its flags, in the reader's language. more: the flags that the verb
    takes as ``**flags``."""

    def translated(*args: object, **kwargs: object) -> int:
        return verb(*args, **kwargs)

    translated.__name__, translated.__doc__ = verb.__name__, _(inspect.cleandoc(verb.__doc__ or ""))
    flags = (*own_parameters(verb), *more)
    declare(translated, (p.replace(annotation=_translated(p.annotation)) for p in flags))
    return translated


def _translated(annotation: object) -> object:
    if get_origin(annotation) is not Annotated:
        return annotation
    kind, *marks = get_args(annotation)
    marks = [Parameter.combine(m, Parameter(help=_(m.help))) if _helps(m) else m for m in marks]
    return Annotated[kind, *marks]


def _helps(mark: object) -> bool:
    return isinstance(mark, Parameter) and bool(mark.help)


class Pages(DefaultFormatter):
    """The pages of cyclopts, with its own words (titles, choices, defaults, usage) translated, too."""

    def __call__(self, console: "Console", options: "ConsoleOptions", panel: HelpPanel) -> None:
        title = _(panel.title) if isinstance(panel.title, str) else panel.title
        super().__call__(
            console, options, panel.copy(title=title, entries=[_entry(e) for e in panel.entries])
        )

    def render_usage(self, console: "Console", options: "ConsoleOptions", usage: object) -> None:
        if not usage:
            return
        text = placeholders(str(usage).strip().replace("[ARGS", "[ARGUMENTS"))
        console.print(line((_("Usage: "), "bold"), text))
        console.print()


def _entry(entry: HelpEntry) -> HelpEntry:
    """The help entry, with the notes that cyclopts would append in English translated in its description."""
    notes = []
    for flag in entry.positive_names:
        if flag in SETTINGS:
            notes += _names(SETTINGS[flag])
        if flag == "--what":
            notes.append(_("[of a run: {names}]").format(names=", ".join(picture_names())))
    if entry.choices:
        notes.append(_choices(", ".join(entry.choices)))
    if entry.default not in (None, "False"):
        notes.append(_("[default: {value}]").format(value=entry.default))
    if entry.required:
        notes.append(_("[required]"))
    about = entry.description
    if not isinstance(about, InlineText):
        about = InlineText(Text(str(about or "")))
    for note in notes:
        about.append(Text(note, "dim"))
    said = {"metavar": entry.metavar, "positional_label": entry.positional_label}
    said = {kind: name and placeholders(name) for kind, name in said.items()}
    return entry.copy(description=about, choices=None, default=None, required=False, **said)


def _names(setting: str) -> list[str]:
    """A note with ``names`` of the setting; no note if there are none."""
    listing = ", ".join(names(setting))
    if not listing:
        return []
    return [_("[of: {names}]").format(names=listing) if setting in OF_SOME else _choices(listing)]


def _choices(names: str) -> str:
    return _("[one of: {choices}]").format(choices=names)
