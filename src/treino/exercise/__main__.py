"""``python -m treino.exercise FILE.py``: exit 0: correct, 1: a difference, 2: the file can't be used."""

from collections.abc import Sequence
from pathlib import Path

from treino.cli import command
from treino.cli.screen import Screen
from treino.console import line
from treino.errors import TreinoError
from treino.words import _

USAGE = "python -m treino.exercise FILE.py [--json] [--lang pt_BR]"

PRINTED, WIDEST = 40, 200  # lines and characters that are shown of what the function prints


def run(tokens: Sequence[str], screen: Screen) -> int:
    """Check the function ``forward`` of the file that is named."""
    if "--help" in tokens or "-h" in tokens:
        screen.out.print(USAGE)
        screen.out.print(
            _("Runs your forward(loader, net, epoch, mode) beside the engine and names the first difference.")
        )
        screen.document({"help": USAGE})
        return 0
    files = [t for t in tokens if not t.startswith("-")]
    if len(files) != 1 or len(tokens) != 1:
        raise TreinoError(
            "usage",
            _("One file is wanted, and this was given: {given}.").format(
                given=" ".join(tokens) or _("nothing")
            ),
            _("Write: {usage}").format(usage=USAGE),
        )
    from treino.exercise import check
    from treino.exercise.function_file import forward_of

    outcome = check(forward_of(Path(files[0])))
    lines = outcome.printed.rstrip("\n").splitlines()
    for text in lines[:PRINTED]:
        screen.err.print(text[:WIDEST])
    if len(lines) > PRINTED:
        screen.err.print(_("… and {n:,} lines more that it printed").format(n=len(lines) - PRINTED))
    head, *rest = repr(outcome).splitlines()
    screen.out.print(line((head, "bold green" if outcome.passed else "bold red")))
    for text in rest:
        screen.out.print(text)
    screen.document({"file": files[0], **outcome.document})
    return 0 if outcome.passed else 1


if __name__ == "__main__":
    command(run)
