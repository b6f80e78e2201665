"""The command line: ``treino VERB ...``, with a file for each verb. Help pages import nothing heavy."""

import os
import signal
import sys
import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from treino.garbage_collection import collect_no_more, collect_rarely

if TYPE_CHECKING:
    from treino.cli.screen import Screen

    Program = Callable[[Sequence[str], Screen], int]


def main(argv: Sequence[str] | None = None, program: "Program | None" = None, *, last: bool = False) -> int:
    """Run one command and return its exit status: 0 done, 2 bad input, 1 any other error, 130 after Ctrl-C.

    program: a function that runs instead of the verbs. last: whether the process ends afterwards; then, with
    ``--json``, later output of the user's threads and exit handlers goes to stderr, too.
    """
    tokens = list(sys.argv[1:] if argv is None else argv)
    end = tokens.index("--") if "--" in tokens else len(tokens)
    as_json = "--json" in tokens[:end]
    ours = [t for t in tokens[:end] if t != "--json"]

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # unknown TREINO_LANG: language_of raises an error
        from treino.words import door, speaking

    from treino.cli.help import language_of
    from treino.cli.screen import Screen
    from treino.errors import TreinoError

    screen = Screen(as_json)
    try:
        ours, language = language_of(ours)
        with speaking(language), door("flag"):
            return _run([*ours, *tokens[end:]], screen, program)
    except TreinoError as error:
        return screen.fail(error)
    finally:
        if not last:
            screen.close()


def _run(tokens: Sequence[str], screen: "Screen", program: "Program | None") -> int:
    from treino.errors import TreinoError, place
    from treino.words import _

    try:
        if program is not None:
            return program(tokens, screen)
        from treino.cli.doctor import examine, is_plain_call

        if is_plain_call(tokens):
            return examine(tokens[1], tokens[3:], screen)
        from treino.cli.app import run

        return run(tokens, screen)
    except TreinoError as error:
        return screen.fail(error)
    except KeyboardInterrupt as stop:
        return screen.interrupted(str(stop))
    except SystemExit as error:  # raised by a user's network, for example
        message = _("{place} ends the program, by sys.exit({code!r}).").format(
            place=place(error) or _("A library"), code=error.code
        )
        return screen.fail(TreinoError("code_exits", message, _("Raise an error there, or leave it out.")))
    except BrokenPipeError:  # the reader of our output went away, e.g. `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        message = _("The machine refused: {error}.").format(error=error)
        return screen.fail(TreinoError("machine", message, _("Fix that and try again."), status=1))
    except BaseException as error:  # a user's code may raise whatever it likes
        return screen.defect(error)


def command(program: "Program | None" = None) -> None:
    """The entry point of the program ``treino``: run ``main`` and exit with its status."""
    collect_rarely()
    _fill_closed()
    try:
        status = main(program=program, last=True)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # nothing is left that a Ctrl-C could stop
        if sys.stdout is not None and not sys.stdout.closed:
            sys.stdout.flush()
    except KeyboardInterrupt:  # before or after the command: nothing needs saving
        status = 130
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        status = 1
    try:  # what stderr refused stays in its buffer, and Python would exit with 120 for it
        sys.stderr.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    collect_no_more()
    sys.exit(status)


def _fill_closed() -> None:
    """Open /dev/null for a closed stdin, stdout or stderr, whose descriptor the next opened file would get.

    Writing to a closed stdout still fails; output to a closed stderr is discarded.
    """
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:  # /dev/null gets the lowest free number: this one
            os.open(os.devnull, os.O_RDONLY if number == 1 else os.O_RDWR)
    if sys.stderr is None:
        sys.stderr = os.fdopen(2, "w", closefd=False)
