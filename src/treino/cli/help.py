"""Help pages in the reader's language: cyclopts' own sentences and the verbs' texts."""

import inspect
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Annotated, get_args, get_origin

from cyclopts import Parameter
from cyclopts.help import DefaultFormatter, HelpEntry, HelpPanel, InlineText
from rich.text import Text

from treino.cli.entry_names import names, picture_names
from treino.console import line
from treino.spec import FLAGS as FLAGS_OF_SETTINGS
from treino.spec import OF_SOME
from treino.words import N_, _

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions

PANELS = N_("Commands"), N_("Arguments"), N_("Parameters")
SETTINGS = {flag: name for name, flag in FLAGS_OF_SETTINGS.items()}
FLAGS = {"--help": N_("show this page"), "--version": N_("show the version")}


def in_words(verb: Callable[..., int], more: Iterable[inspect.Parameter] = ()) -> Callable[..., int]:
    """A verb with its own help and that of its flags in the reader's language. more: flags that it takes as
    ``**flags``."""

    def translated(*args: object, **kwargs: object) -> int:
        return verb(*args, **kwargs)

    own = [p for p in inspect.signature(verb).parameters.values() if p.kind is not p.VAR_KEYWORD]
    parameters = [p.replace(annotation=_translated(p.annotation)) for p in (*own, *more)]
    translated.__name__, translated.__doc__ = verb.__name__, _(inspect.cleandoc(verb.__doc__ or ""))
    translated.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    translated.__annotations__ = {p.name: p.annotation for p in parameters}
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
    """cyclopts' pages, with its own words (titles, choices, defaults, usage) looked up too."""

    def __call__(self, console: "Console", options: "ConsoleOptions", panel: HelpPanel) -> None:
        title = _(panel.title) if isinstance(panel.title, str) else panel.title
        super().__call__(
            console, options, panel.copy(title=title, entries=[_entry(e) for e in panel.entries])
        )

    def render_usage(self, console: "Console", options: "ConsoleOptions", usage: object) -> None:
        if not usage:
            return
        text = (
            str(usage).strip().replace("[OPTIONS]", _("[OPTIONS]")).replace("[ARGS...]", _("[ARGUMENTS...]"))
        )
        text = text.replace("[ARGS]", _("[ARGUMENTS]")).replace(" COMMAND", " " + _("COMMAND"))
        console.print(line((_("Usage: "), "bold"), text))
        console.print()


def _entry(entry: HelpEntry) -> HelpEntry:
    """A help entry whose description holds, translated, what cyclopts would append in English."""
    notes = []
    for flag in entry.positive_names:
        if flag in SETTINGS:
            notes += _names(SETTINGS[flag])
        if flag == "--what":
            notes.append(_pictures())
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
    return entry.copy(description=about, choices=None, default=None, required=False)


def _names(setting: str) -> list[str]:
    """A note with the entries that the setting may name, or the optimizers that read it."""
    listing = ", ".join(names(setting))
    if not listing:
        return []
    return [_("[of: {names}]").format(names=listing) if setting in OF_SOME else _choices(listing)]


def _pictures() -> str:
    return _("[of a run: {names}]").format(names=", ".join(picture_names()))


def _choices(names: str) -> str:
    return _("[one of: {choices}]").format(choices=names)
