"""The command line: ``treino VERB ...``, with a file for each verb. Help pages import nothing heavy."""

import os
import sys
import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from treino_doctor.base.garbage_collection import collect_no_more, collect_rarely

if TYPE_CHECKING:
    from treino.cli.screen import Screen

    Program = Callable[[Sequence[str], Screen], int]


def main(argv: Sequence[str] | None = None, program: "Program | None" = None, *, last: bool = False) -> int:
    """Run one command and return its exit status: 0 done, 2 bad input, 4 if every network diverged, 130
    after Ctrl-C, 1 any other error.

    program: a function that runs instead of the verbs. last: whether the process ends afterwards; then, with
    ``--json``, later output of the user's threads and exit handlers goes to stderr, too.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # unknown TREINO_LANG: language_of raises an error
        from treino.base.words import interface, speaking
    from treino_doctor.base.errors import TreinoError
    from treino_doctor.base.screen import Screen, guarded, language_of, split_tokens

    own, rest, as_json = split_tokens(sys.argv[1:] if argv is None else argv)
    try:
        own, language = language_of(own)
    except TreinoError as error:
        return Screen(as_json).fail(error)
    if program is None and own[:1] == ["doctor"]:
        screen = Screen(as_json)  # without styles: their import takes as long as 100 steps of a small network
    else:
        from treino.cli.screen import Screen as StyledScreen

        screen = StyledScreen(as_json)
    try:
        with speaking(language), interface("flag"):
            return guarded(lambda: _run([*own, *rest], screen, program), screen)
    finally:
        if not last:
            screen.close()


def _run(tokens: Sequence[str], screen: "Any", program: "Program | None") -> int:
    from treino.base.errors import TreinoError, place
    from treino.base.words import _

    try:
        os.getcwd()
    except OSError:  # libraries that need it end the process
        message = _("The working directory is gone: it was deleted, or moved away.")
        raise TreinoError("working_directory_gone", message, _("Go to one that is there: cd PATH")) from None
    try:
        if program is not None:
            return program(tokens, screen)
        if tokens[:1] == ["doctor"]:
            from treino.cli.doctor import doctor

            return doctor(tokens[1:], screen)
        from treino.cli.app import run

        return run(tokens, screen)
    except SystemExit as error:  # raised by a user's network, for example
        message = _("{place} ends the program, by sys.exit({code!r}).").format(
            place=place(error) or _("A library"), code=error.code
        )
        raise TreinoError("code_exits", message, _("Raise an error there, or leave it out.")) from None


def command(program: "Program | None" = None) -> None:
    """The entry point of the program ``treino``: run ``main`` and exit with its status."""
    collect_rarely()
    from treino_doctor.base.screen import run_to_exit

    run_to_exit(lambda: main(program=program, last=True), collect_no_more)
