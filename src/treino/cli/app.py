"""The app of the command line: its verbs, and the parsing of their flags by cyclopts."""

from collections.abc import Callable, Sequence
from importlib import import_module
from inspect import signature

from cyclopts import App, CycloptsError, Parameter

from treino.base.apps import brought, entries, installed
from treino.base.console import line
from treino.base.errors import TreinoError
from treino.base.words import _
from treino.cli.configuration import Configuration, note, split_config
from treino.cli.flags import setting_flags
from treino.cli.help import FLAGS as PAGE_FLAGS
from treino.cli.help import Pages, in_words
from treino.cli.screen import Screen, usage_error, with_lists

VERBS = (  # of the core; apps bring others
    *("data", "train", "sweep", "study", "predict", "compare", "runs", "show", "resume", "verify"),
    *("plot", "report", "export", "schema", "doctor"),
)
START = "train", "show", "predict", "plot", "data"


def all_verbs() -> tuple[str, ...]:
    """The names of the core's verbs and of the installed apps' verbs."""
    return (*VERBS, *filter(installed, entries("treino.verbs")))


def verb_named(name: str) -> Callable[..., int]:
    """Import a verb's file and return the verb's function.

    Raises:
        TreinoError: the verb belongs to an app that is not installed.
    """
    if name in VERBS:
        of_core: Callable[..., int] = getattr(import_module(f"treino.cli.{name}"), name)
        return of_core
    of_app: Callable[..., int] = brought("treino.verbs", name)
    return of_app


def make_app(verbs: Sequence[str] | None = None) -> App:
    """The app with these verbs, by default all that are installed; only their files are imported."""
    from importlib.metadata import version

    app = App(
        name="treino",
        version=version("treino"),
        help=_("Train neural networks, see them learn, and be told the truth about them."),
        help_epilogue=_(
            "Every command: --json for one JSON document, --lang en or --lang pt_BR for the language, "
            "--config FILE for a file with options (default: treino.toml, if it is there).\n\n"
            "Exit status: 0 done, 2 bad input, 4 every network diverged, 130 after Ctrl-C, "
            "1 any other error.\n\n"
            "Start with: treino train wine"
        ),
        help_formatter=Pages(),
        default_parameter=Parameter(negative=()),
    )
    for flag, about in PAGE_FLAGS.items():
        app[flag].help = _(about)
    app.register_install_completion_command(
        help=_("complete commands and options at the Tab key, in this shell (bash, zsh, fish)"),
        group=app["--help"].group,
    )
    for verb in map(verb_named, all_verbs() if verbs is None else verbs):
        settings = any(p.kind is p.VAR_KEYWORD for p in signature(verb).parameters.values())
        app.command(in_words(verb, setting_flags() if settings else ()))
    return app


def run(tokens: Sequence[str], screen: Screen) -> int:
    """Parse the command line, run its verb and return the exit status.

    Raises:
        TreinoError: usage errors (rule ``usage``), and the errors of the verb.
    """
    known = tokens and (tokens[0] in VERBS or tokens[0] in entries("treino.verbs"))
    app = make_app(tokens[:1] if known else None)
    if not tokens:
        return _welcome(app, screen)
    tokens, path = split_config(tokens)
    configuration = Configuration(all_verbs(), path)
    app.config = configuration
    try:
        command, bound, ignored = app.parse_args(
            with_lists(tokens), exit_on_error=False, print_error=False, console=screen.page
        )
    except CycloptsError as error:
        raise usage_error(error, tokens, all_verbs()) from None
    extra = {"screen": screen} if "screen" in ignored else {}
    if sentence := note(configuration.used):
        (screen.err if screen.as_json else screen.out).print(sentence)
    try:
        status = command(*bound.args, **bound.kwargs, **extra)
    except TreinoError as error:
        raise configuration.placed(error) from error
    if status is None and screen.as_json:
        screen.document({"version": app.version} if "--version" in tokens else {"help": " ".join(tokens)})
    return int(status or 0)


def _welcome(app: App, screen: Screen) -> int:
    """Print the five commands to start with, for ``treino`` without a verb."""
    screen.out.print(_("treino: train neural networks, see them learn, and be told the truth about them."))
    screen.out.print()
    abouts = {name: (app[name].help or "").strip().splitlines()[0] for name in START}
    for name, about in abouts.items():
        screen.out.print(line("  ", (f"treino {name:8}", "bold"), f" {about}"))
    screen.out.print()
    screen.out.print(_("Try: treino train wine    All commands: treino --help"))
    screen.document({"commands": abouts})
    return 0
