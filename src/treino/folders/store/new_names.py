"""Names of new folders: their check, the claim of a name, and leftovers of processes that ended early."""

import os
import re
import shlex
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from treino.base import files, lock
from treino.base.errors import Refusal, TreinoError
from treino.base.files import claim_folder, make_folder, not_a_folder, trouble
from treino.base.words import _
from treino.folders.store import database, manifest, sqlite
from treino.folders.store.checkpoint import SLOTS
from treino.folders.store.manifest import Manifest

ENDED_BEFORE_IT_BEGAN = Refusal(
    "{path} ended before it began: its settings were not written yet.",
    "Start it again; with the same [[name]] or [[out]] it takes the folder over.",
)
FOLDER_EMPTY = Refusal(
    "{path} is empty: nothing began there, or it ended before its settings were written.",
    ENDED_BEFORE_IT_BEGAN.hint,
    rule=ENDED_BEFORE_IT_BEGAN.rule,
)
NAME_TAKEN = Refusal("There is already something called {name} in {parent}.", "{hint}")
OUT_NOT_EMPTY = Refusal(
    "{path} exists and is not empty.",
    "Give a new folder, or leave [[out]] away: the run then goes to ./runs.",
)

# ---- leftovers

_OWN = {manifest.NAME, lock.NAME, *(database.NAME + ending for ending in ("", *sqlite.BESIDE))}
_OF_AN_END = "result.json"  # a rewound run keeps it, though it isn't sealed
_OWN_NUMBERED = re.compile(r"keyframes/\d+-\d+\.safetensors|checkpoint/[ab]\.safetensors|(.*/)?\.[^/]+\.tmp")


def is_leftover(path: Path) -> bool:
    """Whether the folder contains only files that treino writes before a run's settings."""
    return has_no_checkpoint(path) and not _has_settings(path, _manifest(path))


def has_no_checkpoint(path: Path) -> bool:
    """Whether the folder contains only a leftover, or a run that was never sealed and has no checkpoint, so
    that a resume would start from its first step."""
    if path.is_symlink() or not path.is_dir():
        return False
    try:
        content = _manifest(path)
    except TreinoError:
        return False
    names = [*_names(path)]
    if content is not None and _has_settings(path, content):
        needed = content.sealed or _OF_AN_END in content.files or not {*SLOTS}.isdisjoint(names)
    else:
        needed = False
    return not needed and all(_own(path, name, content) for name in names)


def ended_before_it_began(path: Path) -> TreinoError:
    """The error for opening a leftover as a run."""
    return ENDED_BEFORE_IT_BEGAN(path=path) if any(path.iterdir()) else FOLDER_EMPTY(path=path)


def clear(path: Path) -> None:
    """Remove all of treino's files from the folder, including a run's, but not the lock file.

    The caller must hold the lock. If this process dies meanwhile, the folder is a leftover.
    """
    content = _manifest(path)
    first = "" if content is None else content.first
    own = [name for name in _names(path) if name != lock.NAME and _own(path, name, content)]
    for name in sorted(own, key=lambda name: (name == manifest.NAME, name != first, name)):
        files.remove(path / name)
    for folder, _folders, _files in os.walk(path, topdown=False):
        if Path(folder) != path:
            with suppress(OSError):
                os.rmdir(folder)


def _has_settings(path: Path, content: Manifest | None) -> bool:
    """Whether the folder contains a run's settings, so that the run can be resumed."""
    return content is not None and (content.sealed or (path / content.first).exists())


def _manifest(path: Path) -> Manifest | None:
    try:
        return manifest.read(path)
    except TreinoError as error:
        if error.rule != manifest.NOT_A_RUN.rule:
            raise
        return None


def _own(path: Path, name: str, content: Manifest | None) -> bool:
    """Whether `name` is a file that treino wrote, and not a link or another entry with that name. A temporary
    file may have gone since it was listed."""
    known = name in _OWN or _OWN_NUMBERED.fullmatch(name) or (content is not None and name in content.files)
    try:
        return bool(known) and stat.S_ISREG(os.lstat(path / name).st_mode)
    except FileNotFoundError:
        return True


def _names(path: Path) -> Iterator[str]:
    """The names of all entries below the folder, except folders; links are listed and not followed."""
    for folder, folders, others in os.walk(path):
        links = [name for name in folders if (Path(folder) / name).is_symlink()]
        for name in (*links, *others):
            yield (Path(folder) / name).relative_to(path).as_posix()


# ---- names of folders

LAST = "last"
_LONGEST = 100


def checked_name(name: str) -> str:
    """Return `name` if it is allowed for a folder in `runs`; else raise TreinoError."""
    if not name.strip():
        raise _bad(_("A run's name can't be empty."))
    if len(name.encode("utf-8", "surrogatepass")) > _LONGEST:
        raise _bad(_("A run's name has at most {limit} bytes.").format(limit=_LONGEST))
    if not name.isprintable() or not files.portable(name) or name != name.strip():
        raise _bad(_("{name!r} can't be a run's name.").format(name=name))
    if name[0] in ".-~" or name == LAST:
        raise _bad(_("{name!r} can't be a run's name.").format(name=name))
    return name


def slug(stem: str) -> str:
    """Replace characters of `stem` (such as a data file's name) that a name can't have: "my data" gives
    "my-data"."""
    plain = re.sub(r"[^\w.+-]+", "-", stem).strip(".-")
    return plain.encode()[: _LONGEST - 12].decode(errors="ignore") or "run"


def claim_next(parent: Path, stem: str) -> Path:
    """Create the folder `stem`-N with N above all existing numbers."""
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
    """Create the folder `name`, or reuse a leftover. Raises TreinoError if the folder contains more."""
    path = parent / checked_name(name)
    make_folder(parent)
    if not claim_folder(path) and not _free(path):
        raise in_use(path)
    return path


def _free(path: Path) -> bool:
    """Whether a new run may replace the content of an existing folder."""
    return is_leftover(path) or (has_no_checkpoint(path) and lock.holder(path / lock.NAME) is None)


def in_use(path: Path) -> TreinoError:
    """The error for a name that is in use."""
    hint = _("Choose another [[name]], or leave it out: names are then counted up.")
    with suppress(TreinoError):
        if not manifest.read(path).sealed:
            hint = _("Choose another [[name]], or go on with it: treino resume {path}").format(path=path)
    return NAME_TAKEN(name=path.name, parent=path.parent, hint=hint)


def command_word(path: Path, suffix: str = "") -> str:
    """A folder as an argument on the command line: its name if it is in ./runs, else its path.

    suffix: for a part of the folder, such as ``:17`` for a network of a sweep.
    """
    here = path.resolve().parent == Path("runs").resolve()
    return shlex.quote(f"{path.name if here else path}{suffix}")


def claim_out(path: Path) -> bool:
    """Create the folder `path` (True) or reuse an empty one or a leftover (False); else raise TreinoError."""
    make_folder(path.parent)
    if claim_folder(path):
        return True
    with trouble(path):
        if not path.is_dir():
            raise not_a_folder(path)
        if any(path.iterdir()) and not _free(path):
            raise OUT_NOT_EMPTY(path=path)
    return False


def _bad(message: str) -> TreinoError:
    return TreinoError("bad_name", message, _("Use letters, digits, '-' and '_': [[name=wine-small]]"))
