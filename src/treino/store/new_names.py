"""Names of folders: validation, and claiming by a single process."""

import re
import shlex
from contextlib import suppress
from pathlib import Path

from treino.errors import TreinoError
from treino.store import lock, manifest
from treino.store.files import claim_folder, make_folder, not_a_folder, trouble
from treino.store.leftover import has_no_checkpoint, is_leftover
from treino.words import _

LAST = "last"
_LONGEST = 100


def checked_name(name: str) -> str:
    """`name`, if it can be a folder in `runs`; else raises TreinoError."""
    if not name.strip():
        raise _bad(_("A run's name can't be empty."))
    if len(name.encode("utf-8", "surrogatepass")) > _LONGEST:
        raise _bad(_("A run's name has at most {limit} bytes.").format(limit=_LONGEST))
    if any(sign in "/\\:\0" or not sign.isprintable() for sign in name) or name != name.strip():
        raise _bad(_("{name!r} can't be a run's name.").format(name=name))
    if name[0] in ".-~" or name == LAST:
        raise _bad(_("{name!r} can't be a run's name.").format(name=name))
    return name


def slug(stem: str) -> str:
    """`stem` (such as a data file's name) without characters that a name can't have: "my data" gives
    "my-data"."""
    plain = re.sub(r"[^\w.+-]+", "-", stem).strip(".-")
    return plain.encode()[: _LONGEST - 12].decode(errors="ignore") or "run"


def claim_next(parent: Path, stem: str) -> Path:
    """Make the folder `stem`-N with N above all existing numbers."""
    make_folder(parent)
    stem = slug(stem)
    pattern = re.compile(re.escape(stem) + r"-(\d{1,9})")
    with trouble(parent):
        numbers = [int(match[1]) for each in parent.iterdir() if (match := pattern.fullmatch(each.name))]
    number = max(numbers, default=0) + 1
    while not claim_folder(parent / f"{stem}-{number}"):
        number += 1
    return parent / f"{stem}-{number}"


def claim_name(parent: Path, name: str) -> Path:
    """Make the folder `name`, or reuse a leftover. Raises TreinoError if anything else is there."""
    path = parent / checked_name(name)
    make_folder(parent)
    if not claim_folder(path) and not _free(path):
        raise in_use(path)
    return path


def _free(path: Path) -> bool:
    """Whether a new run may use an existing folder."""
    return is_leftover(path) or (has_no_checkpoint(path) and lock.holder(path / lock.NAME) is None)


def in_use(path: Path) -> TreinoError:
    """The error for a name that is in use."""
    hint = _("Choose another [[name]], or leave it out: names are then counted up.")
    with suppress(TreinoError):
        if not manifest.read(path).sealed:
            hint = _("Choose another [[name]], or go on with it: treino resume {path}").format(path=path)
    return TreinoError(
        "name_taken",
        _("There is already something called {name} in {parent}.").format(name=path.name, parent=path.parent),
        hint,
    )


def command_word(path: Path, suffix: str = "") -> str:
    """The word for a folder on a command line: its name if it is in ./runs, else its path.

    suffix: for a part of it, such as ``:17`` for a network of a sweep.
    """
    here = path.resolve().parent == Path("runs").resolve()
    return shlex.quote(f"{path.name if here else path}{suffix}")


def claim_out(path: Path) -> bool:
    """Make the folder `path` (True), or use an empty one or a leftover (False); else raises TreinoError."""
    make_folder(path.parent)
    if claim_folder(path):
        return True
    with trouble(path):
        if not path.is_dir():
            raise not_a_folder(path)
        if any(path.iterdir()) and not _free(path):
            raise occupied(path)
    return False


def occupied(path: Path) -> TreinoError:
    """The error for a folder for a new run that isn't empty."""
    return TreinoError(
        "out_not_empty",
        _("{path} exists and is not empty.").format(path=path),
        _("Give a new folder, or leave [[out]] away: the run then goes to ./runs."),
    )


def _bad(message: str) -> TreinoError:
    return TreinoError("bad_name", message, _("Use letters, digits, '-' and '_': [[name=wine-small]]"))
