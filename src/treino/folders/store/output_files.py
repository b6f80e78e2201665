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
from treino_doctor.output import files
from treino_doctor.output.files import refuse_special

NO_FOLDER = Refusal(
    "There is no folder {path}.", "Make it, or give a file in a folder that exists.", rule="to_place"
)
FOLDER_IN_THE_WAY = Refusal("{path} is a folder.", "Move it out of the way.", rule="to_place")
SOURCE_PICTURES = Refusal(
    "{path} would be one of the pictures that this command reads.", "Give another name.", rule="to_source"
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


class OutputFile(files.OutputFile):
    """One file, as the doctor's, durably written, and never in the folder of a run or among the pictures that
    the command reads. new_folders: whether missing parent folders are created.

    Raises:
        TreinoError: as for the doctor's; and to_run.
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
        self._new_folders = new_folders
        super().__init__(path, endings, reads=reads, replace=replace)

    def _put(self, data: bytes) -> None:
        if self._new_folders:
            make_folder(self._place.parent)
        write_atomically(self._place, data, replace=self._replace)

    def _check(self) -> bool:
        refuse_run(self.path)
        photographs = (source.resolve() for source in self._reads if source.is_dir())
        if self._place.suffix.lower() in PNG and {*photographs} & {*self._place.resolve().parents}:
            raise SOURCE_PICTURES(path=self.path)
        return super()._check()

    def _mode(self) -> int | None:
        return _mode(self._place)

    def _check_folder(self) -> None:
        _check_folder(self._place.parent, self.path.parent, self._new_folders)

    def _there_already(self) -> TreinoError:
        return there_already(self.path)


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
