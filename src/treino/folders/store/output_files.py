"""Output files at paths of the user's choice, written without destroying files that are still needed.

A path is checked before the work, so that nothing is computed in vain, and again before writing. Refused are
files that the command reads, paths in the folder of a run, links, folders, pipes and devices, names whose
ending doesn't fit the content (no page replaces a table or a script), and without ``replace`` any other
existing file.
"""

import errno
import os
import stat
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from treino.base.errors import Refusal, TreinoError
from treino.base.files import (
    FILE_VANISHED,
    holds_run,
    make_folder,
    not_a_folder,
    problem,
    relative,
    there_already,
    trouble,
    write_atomically,
)
from treino.base.words import N_, _
from treino_doctor.output.files import refuse_special

NO_FOLDER = Refusal(
    "There is no folder {path}.", "Make it, or give a file in a folder that exists.", rule="to_place"
)
FOLDER_IN_THE_WAY = Refusal("{path} is a folder.", "Move it out of the way.", rule="to_place")
FOLDER_FOR_A_FILE = Refusal("{path} is a folder.", "Give a file in it, e.g. {file}.", rule="to_place")
_OTHER = N_("Give another name.")
SOURCE_PICTURES = Refusal(
    "{path} would be one of the pictures that this command reads.", _OTHER, rule="to_source"
)
SOURCE_FILE = Refusal(
    "{path} is read by this command, and would be overwritten by it.", _OTHER, rule="to_source"
)
TO_ENDING = Refusal(
    "The name of this file must end in {endings}, and {path} doesn't.", "Give a name like {example}."
)
TO_RUN = Refusal(
    "{path} is in {folder}, the folder of a run, where only treino itself writes.",
    "Give a place outside of it.",
)

PAGE = (".html", ".htm")
MARKDOWN = (".md", ".markdown")
CSV = (".csv",)
PNG = (".png",)
JSON = (".json",)


class OutputFile:
    """One file at a path of the user's choice.

    path: as given. replaced: the path, if writing replaced a file. endings: allowed endings of the name.
    reads: files that the command reads. replace: whether an existing file may be replaced. new_folders:
    whether missing parent folders are created. ``/dev/null`` is always allowed.

    Raises:
        TreinoError: the path is refused. to_place: it is a folder, or its folder is missing; to_special: a
            pipe or a device; to_link; to_run; to_source; to_ending; file_exists; read_only.
    """

    def __init__(
        self,
        path: str | Path,
        endings: Sequence[str],
        *,
        reads: Iterable[str | Path] = (),
        replace: bool = False,
        new_folders: bool = False,
    ) -> None:
        self.path = Path(path)
        self.replaced: list[Path] = []
        self._place = self.path.absolute()  # a script that treino runs may change the working directory
        self._endings, self._replace, self._new_folders = tuple(endings), replace, new_folders
        self._reads = [Path(source).absolute() for source in reads]
        self._check()

    def write(self, data: bytes) -> Path:
        """Write `data` atomically and return the path. Errors: as for `OutputFile`, and disk errors."""
        if self._check():
            return self.path
        there = os.path.lexists(self._place)
        if self._new_folders:
            make_folder(self._place.parent)
        write_atomically(self._place, data, replace=self._replace)
        self.replaced += [self.path] if there else []
        return self.path

    def _check(self) -> bool:
        """Check the path. Return whether the path is the null device."""
        place = self._place
        mode = _mode(place)
        if mode is not None and not stat.S_ISLNK(mode) and os.path.samefile(place, os.devnull):
            return True
        refuse_run(self.path)
        if mode is not None and stat.S_ISDIR(mode):
            raise FOLDER_FOR_A_FILE(path=self.path, file=self.path / f"out{self._endings[0]}")
        _check_folder(place.parent, self.path.parent, self._new_folders)
        refuse_special(self.path, mode)
        for source in self._reads:
            if _would_change(source, place, mode is not None):
                raise (SOURCE_PICTURES if source.is_dir() else SOURCE_FILE)(path=self.path)
        if place.suffix.lower() not in self._endings:
            example = self.path.with_suffix(self._endings[0])
            raise TO_ENDING(path=self.path, endings=_(" or ").join(self._endings), example=example)
        if mode is not None and not self._replace:
            raise there_already(self.path)
        return False


def _would_change(source: Path, place: Path, there: bool) -> bool:
    """Whether writing a file at ``place`` would change a source: a file, or a folder of photographs."""
    if source.is_dir():
        return place.suffix.lower() in PNG and source.resolve() in place.resolve().parents
    return there and source.exists() and source.samefile(place)


class OutputFolder:
    """Several files in a folder of the user's choice, which is created if it is missing.

    path: as given. replace: whether existing files may be replaced. replaced: the replaced files.

    Raises:
        TreinoError: no_folder, to_run, read_only.
    """

    def __init__(self, path: str | Path, *, replace: bool = False) -> None:
        self.path = Path(path)
        self.replaced: list[Path] = []
        self._place, self._replace = self.path.absolute(), replace
        self._names: set[str] = set()
        self._written: set[str] = set()
        refuse_run(self.path / "file")
        _check_folder(self._place, self.path, new=True)

    def check(self, names: Iterable[str]) -> None:
        """Refuse file names, or glob patterns of names, that can't be written.

        Raises:
            TreinoError: as for `OutputFile`.
        """
        self._names |= (patterns := set(names))
        there = [
            file
            for name in sorted(patterns)
            if self._plain_folders(name)
            for file in sorted(self._place.glob(name))
            if file.relative_to(self._place).as_posix() not in self._written
        ]
        for file in there:
            path = self.path / file.relative_to(self._place)
            refuse_special(path, mode := _mode(file))
            if mode is not None and stat.S_ISDIR(mode):
                raise FOLDER_IN_THE_WAY(path=path)
        if there and not self._replace:
            raise there_already(self.path / there[0].relative_to(self._place), len(there) - 1)

    def write(self, name: str, data: bytes) -> Path:
        """Write a file atomically and return its path. Errors: as for `check`, and disk errors."""
        if name not in self._names and not any(fnmatchcase(name, pattern) for pattern in self._names):
            raise ValueError(f"{name!r} was not checked before the work")
        self.check([name])
        place = self._place / name
        make_folder(place.parent)
        ours = name in self._written
        if os.path.lexists(place) and not ours:
            self.replaced.append(self.path / name)
        write_atomically(place, data, replace=self._replace or ours)
        self._written.add(name)
        return self.path / name

    def remove_others(self, pattern: str) -> None:
        """Remove files that match a glob pattern and were not written by this object, such as the frames of
        an older film."""
        self.check([pattern])
        for file in sorted(self._place.glob(pattern)):
            if (name := file.relative_to(self._place).as_posix()) not in self._written:
                with trouble(file):
                    file.unlink()
                self.replaced.append(self.path / name)

    def _plain_folders(self, name: str) -> bool:
        """Whether the parent folders in `name` exist. Refuses a link or a file among them."""
        place = self._place
        for part in Path(name).parts[:-1]:
            place /= part
            mode = _mode(place)
            if mode is None:
                return False
            if not stat.S_ISDIR(mode):
                raise not_a_folder(place)
        return True


def refuse_run(path: Path) -> None:
    """Refuse a path in the folder of a run, a sweep or a study, even if links lead there.

    Raises:
        TreinoError: to_run.
    """
    parent = path.absolute().parent
    for start in {Path(os.path.realpath(parent)), Path(os.path.abspath(parent))}:
        for folder in (start, *start.parents):
            if holds_run(folder):
                raise TO_RUN(path=path, folder=relative(folder, Path()))


def _check_folder(place: Path, path: Path, new: bool) -> None:
    """Refuse a path that is missing (unless ``new``), not a folder, or not writable."""
    with trouble(path):
        while new and not os.path.lexists(place):
            place = place.parent
        if not place.exists() and not new:
            raise NO_FOLDER(path=path)
        if not place.is_dir():
            raise not_a_folder(place if new else path)
        if not os.access(place, os.W_OK | os.X_OK):
            raise problem(path, errno.EACCES, os.strerror(errno.EACCES))


def _mode(path: Path) -> int | None:
    """The file mode at `path`, without following links; None if nothing is there."""
    try:
        with trouble(path):
            return os.lstat(path).st_mode
    except TreinoError as error:
        if error.rule != FILE_VANISHED.rule:
            raise
        return None
