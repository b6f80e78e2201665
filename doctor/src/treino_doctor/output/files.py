"""Output files at paths of the user's choice, written without destroying files that are still needed."""

import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from treino_doctor.base.errors import TreinoError
from treino_doctor.base.words import _

PATCH = ".patch", ".diff"
SARIF = ".sarif", ".json"
JUNIT = (".xml",)
JSON = (".json",)


class OutputFile:
    """One file, checked before a script runs and again before it is written.

    path: as given. replaced: the path, if writing replaced a file of the user's. endings: of the file's name.
    reads: files that the command reads. replace: whether an existing file may be replaced. own: bytes in
    earlier files of this kind, which may always be replaced. ``/dev/null`` is always allowed.

    Raises:
        TreinoError: the path is refused. to_place: it is a folder, or its folder is missing; not_a_folder;
            to_special: a pipe or a device; to_link; to_source; to_ending; file_exists; read_only.
    """

    def __init__(
        self,
        path: str | Path,
        endings: Sequence[str],
        *,
        reads: Iterable[str | Path] = (),
        replace: bool = False,
        own: bytes | None = None,
    ) -> None:
        self.path = Path(path)
        self.replaced: list[Path] = []
        self._place = self.path.absolute()  # because a script may change the working directory
        self._endings, self._replace, self._own = tuple(endings), replace, own
        self._reads = [Path(source).absolute() for source in reads]
        self._check()

    def write(self, data: bytes) -> Path:
        """Write the whole file at once and return the path. Errors: as for `OutputFile`, and disk errors."""
        if self._check():
            return self.path
        foreign = os.path.lexists(self._place) and not self._ours()
        self._put(data)
        self.replaced += [self.path] if foreign else []
        return self.path

    def _put(self, data: bytes) -> None:
        temporary = self._place.with_name(f".{self._place.name}.{os.getpid()}.tmp")
        with _trouble(self.path):
            try:
                temporary.write_bytes(data)
                os.replace(temporary, self._place)
            finally:
                with suppress(OSError):
                    temporary.unlink()

    def _check(self) -> bool:
        """Check the path. Return whether the path is the null device."""
        path, place, mode = self.path, self._place, self._mode()
        if mode is not None and not stat.S_ISLNK(mode) and os.path.samefile(place, os.devnull):
            return True
        if mode is not None and stat.S_ISDIR(mode):
            hint = _("Give a file in it, e.g. {path}.").format(path=path / f"out{self._endings[0]}")
            raise TreinoError("to_place", _("{path} is a folder.").format(path=path), hint)
        self._check_folder()
        refuse_special(path, mode)
        if mode is not None and any(s.exists() and s.samefile(place) for s in self._reads):
            message = _("{path} is read by this command, and would be overwritten by it.").format(path=path)
            raise TreinoError("to_source", message, _("Give another name."))
        if place.suffix.lower() not in self._endings:
            message = _("The name of this file must end in {endings}, and {path} doesn't.")
            hint = _("Give a name like {path}.").format(path=path.with_suffix(self._endings[0]))
            endings = _(" or ").join(self._endings)
            raise TreinoError("to_ending", message.format(path=path, endings=endings), hint)
        if mode is not None and not self._replace and not self._ours():
            raise self._there_already()
        return False

    def _mode(self) -> int | None:
        """The file mode at the path, without following links; None if nothing is there."""
        with _trouble(self.path):
            return os.lstat(self._place).st_mode if os.path.lexists(self._place) else None

    def _check_folder(self) -> None:
        path, place = self.path.parent, self._place.parent
        if not place.exists():
            hint = _("Make it, or give a file in a folder that exists.")
            raise TreinoError("to_place", _("There is no folder {path}.").format(path=path), hint)
        if not place.is_dir():
            hint = _("Give another folder, or move {path} out of the way.").format(path=path)
            raise TreinoError("not_a_folder", _("{path} is a file, not a folder.").format(path=path), hint)
        if not os.access(place, os.W_OK | os.X_OK):
            raise _not_permitted(path, os.strerror(13))

    def _there_already(self) -> TreinoError:
        message = _("{path} exists already.").format(path=self.path)
        return TreinoError("file_exists", message, _("Give another name, or replace it: --replace."))

    def _ours(self) -> bool:
        with _trouble(self.path):
            return self._own is not None and self._own in self._place.read_bytes()


def refuse_special(path: Path, mode: int | None) -> None:
    """Refuse a link, a pipe, a socket or a device. mode: the file mode at `path`; None if nothing is there.

    Raises:
        TreinoError: to_link, to_special.
    """
    if mode is None or stat.S_ISREG(mode) or stat.S_ISDIR(mode):
        return
    if stat.S_ISLNK(mode):
        message = _("{path} is a link; neither it nor the file that it leads to is replaced.")
        raise TreinoError("to_link", message.format(path=path), _("Give the name of a new file."))
    message = _("{path} is a pipe or a device, not a file.").format(path=path)
    raise TreinoError("to_special", message, _("Write to a file, and send that on."))


@contextmanager
def _trouble(path: Path) -> Iterator[None]:
    """Convert an OSError on `path` to a TreinoError that names the file and says what to do."""
    try:
        yield
    except PermissionError as error:
        raise _not_permitted(path, error.strerror or str(error)) from error
    except OSError as error:
        message = _("{path} could not be written or read: {reason}.")
        message = message.format(path=path, reason=error.strerror or str(error))
        hint = _("Look at the disk, then repeat the command.")
        raise TreinoError("disk_error", message, hint, status=1) from error


def _not_permitted(path: Path, reason: str) -> TreinoError:
    message = _("{path} could not be written or read: it is not permitted ({reason}).")
    hint = _("Choose a folder that you may write to, or change its permissions.")
    return TreinoError("read_only", message.format(path=path, reason=reason), hint, status=1)
