"""The verbs and how their flags are read (by cyclopts)."""

import inspect
from collections.abc import Callable, Sequence
from typing import Annotated, Any

from cyclopts import App, CycloptsError, Group, Parameter
from rich.text import Text

from treino.cli.data import data
from treino.cli.doctor import doctor
from treino.cli.explain import explain
from treino.cli.export import export
from treino.cli.help import FLAGS as PAGE_FLAGS
from treino.cli.help import Pages, in_words
from treino.cli.plot import plot
from treino.cli.predict import predict
from treino.cli.report import report
from treino.cli.resume import resume
from treino.cli.runs import runs
from treino.cli.screen import Screen
from treino.cli.show import show
from treino.cli.study import study
from treino.cli.sweep import sweep
from treino.cli.train import train
from treino.cli.usage import usage_error
from treino.errors import TreinoError
from treino.spec import FLAGS, GROUPS, LATER, Settings, group_of
from treino.words import _

START = "train", "show", "predict", "plot", "data"
LATER_VERBS = ("studio",)


def with_settings(verb: Callable[..., int]) -> Callable[..., int]:
    """Give a verb that takes ``**asked`` one flag for each setting of the table."""
    own = [p for p in inspect.signature(verb).parameters.values() if p.kind is not p.VAR_KEYWORD]
    hidden = Group("", show=False)
    flags = []
    for name, field in Settings.model_fields.items():
        group = Group(group_of(name), sort_key=GROUPS.index(group_of(name)))
        boolean = field.annotation is bool
        parameter = Parameter(
            name=FLAGS[name],
            negative=f"--no-{FLAGS[name][2:]}" if boolean else (),
            help=field.description,
            group=group,
            show_default=False,
        )
        flags.append(_flag(name, bool if boolean else str, parameter))
    for name in LATER:
        flag = Parameter(name="--" + name.replace("_", "-"), group=hidden, show=False)
        flags.append(_flag(name, str, flag))
    parameters = [*own, *flags]

    def verb_with_settings(*args: Any, **kwargs: Any) -> int:
        return verb(*args, **kwargs)

    verb_with_settings.__name__, verb_with_settings.__doc__ = verb.__name__, verb.__doc__
    verb_with_settings.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    verb_with_settings.__annotations__ = {p.name: p.annotation for p in parameters}
    return verb_with_settings


def _flag(name: str, kind: type, parameter: Parameter) -> inspect.Parameter:
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[kind | None, parameter]
    )


def make_app() -> App:
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
    for verb in (
        data,
        with_settings(train),
        with_settings(sweep),
        with_settings(study),
        predict,
        runs,
        show,
        resume,
        plot,
        report,
        export,
        explain,
        doctor,
    ):
        app.command(in_words(verb))
    return app


def run(tokens: Sequence[str], screen: Screen) -> int:
    """Read the command line, run its verb and return the exit status.

    Raises:
        TreinoError: usage errors (rule ``usage``), and whatever the verb raises.
    """
    app = make_app()
    if not tokens:
        return _welcome(app, screen)
    if tokens[0] in LATER_VERBS:
        raise TreinoError(
            "not_yet", _("treino {verb} is not there yet.").format(verb=tokens[0]), _("See: treino --help")
        )
    try:
        command, bound, ignored = app.parse_args(
            tokens, exit_on_error=False, print_error=False, console=screen.page
        )
    except CycloptsError as error:
        raise usage_error(error, tokens, _verbs(app)) from None
    extra = {"screen": screen} if "screen" in ignored else {}
    status = command(*bound.args, **bound.kwargs, **extra)
    if status is None and screen.as_json:
        screen.document({"version": app.version} if "--version" in tokens else {"help": " ".join(tokens)})
    return int(status or 0)


def _verbs(app: App) -> list[str]:
    return [name for name in app if not name.startswith("-")]


def _welcome(app: App, screen: Screen) -> int:
    """Bare ``treino``: the five commands to start with."""
    screen.out.print(_("treino: train neural networks, see them learn, and be told the truth about them.\n"))
    lines = {name: (app[name].help or "").strip().splitlines()[0] for name in START}
    for name, line in lines.items():
        screen.out.print(Text.assemble("  ", (f"treino {name:8}", "bold"), f" {line}"))
    screen.out.print(_("\nTry: treino train wine    All commands: treino --help"))
    screen.document({"commands": lines})
    return 0
