"""The app of the command line: its verbs, and the parsing of their flags by cyclopts."""

from collections.abc import Sequence
from importlib import import_module

from cyclopts import App, CycloptsError

from treino.cli.flags import setting_flags
from treino.cli.help import FLAGS as PAGE_FLAGS
from treino.cli.help import Pages, in_words
from treino.cli.screen import Screen, usage_error, with_lists
from treino.console import line
from treino.words import _

VERBS = (
    "data", "train", "sweep", "study", "judge", "predict", "rows", "runs", "show", "resume", "verify",
    "plot", "report", "export", "explain", "doctor", "kata", "studio", "playground", "mcp",
)  # fmt: skip
TRAINING = (
    "train",
    "sweep",
    "study",
    "rows",
    "studio",
    "playground",
)  # verbs that also take the settings of a run as flags
START = "train", "show", "predict", "plot", "data"


def make_app(verbs: Sequence[str] = VERBS) -> App:
    """The app with these verbs; only their files are imported."""
    from importlib.metadata import version

    app = App(
        name="treino",
        version=version("treino"),
        help=_("Train neural networks, see them learn, and be told the truth about them."),
        help_epilogue=_(
            "Every command: --json for one JSON document, --lang en or --lang pt_BR for the language.\n\n"
            "Start with: treino train wine"
        ),
        help_formatter=Pages(),
    )
    for flag, about in PAGE_FLAGS.items():
        app[flag].help = _(about)
    for name in verbs:
        verb = getattr(import_module(f"treino.cli.{name}"), name)
        app.command(in_words(verb, setting_flags() if name in TRAINING else ()))
    return app


def run(tokens: Sequence[str], screen: Screen) -> int:
    """Parse the command line, run its verb and return the exit status.

    Raises:
        TreinoError: usage errors (rule ``usage``), and the errors of the verb.
    """
    app = make_app(tokens[:1] if tokens and tokens[0] in VERBS else VERBS)
    if not tokens:
        return _welcome(app, screen)
    try:
        command, bound, ignored = app.parse_args(
            with_lists(tokens), exit_on_error=False, print_error=False, console=screen.page
        )
    except CycloptsError as error:
        raise usage_error(error, tokens, VERBS) from None
    extra = {"screen": screen} if "screen" in ignored else {}
    status = command(*bound.args, **bound.kwargs, **extra)
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
