"""``python -m treino_studio.script.runner [OPTIONS] -- SCRIPT [ARGUMENTS]``: run it under the studio."""

import argparse
import sys
from collections.abc import Sequence

from treino_doctor.base.garbage_collection import collect_as_usual, collect_rarely


def main(argv: Sequence[str]) -> int:
    """Run the script to its end; return its exit status, or 2 if it can't be run."""
    at = argv.index("--") if "--" in argv else len(argv)
    parser = argparse.ArgumentParser(
        prog="python -m treino_studio.script.runner", usage="%(prog)s [OPTIONS] -- SCRIPT [ARGUMENTS]"
    )
    parser.add_argument("--record", help="where to write down what is changed")
    parser.add_argument("--replay", help="a file of changes to make once more")
    parser.add_argument("--findings", action="store_true", help="let the doctor look, too")
    options = parser.parse_args(argv[:at])
    if at + 1 >= len(argv):
        parser.error("no script")

    from treino_studio.script.run import run  # imports torch, so only after collect_rarely

    if sys.flags.safe_path:  # -P omits the first entry of sys.path, which the script's folder will replace
        sys.path.insert(0, "")
    collect_as_usual()
    return run(argv[at + 1], argv[at + 2 :], **vars(options))


if __name__ == "__main__":
    collect_rarely()
    sys.exit(main(sys.argv[1:]))
