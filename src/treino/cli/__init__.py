"""The command line: ``treino VERB ...``. One file for each verb; nothing heavy is imported to show help."""

import os
import sys
from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status: 0 done, 2 bad input, 1 anything else, 130 after Ctrl-C."""
    tokens = list(sys.argv[1:] if argv is None else argv)
    end = tokens.index("--") if "--" in tokens else len(tokens)
    as_json = "--json" in tokens[:end]
    tokens = [t for t in tokens[:end] if t != "--json"] + tokens[end:]

    from treino.cli.app import run
    from treino.cli.screen import Screen
    from treino.errors import TreinoError

    screen = Screen(as_json)
    try:
        return run(tokens, screen)
    except TreinoError as error:
        return screen.fail(error)
    except KeyboardInterrupt as stop:
        screen.err.print(str(stop))
        return 130
    except BrokenPipeError:  # the reader of our output went away, e.g. `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        return screen.defect(error)
