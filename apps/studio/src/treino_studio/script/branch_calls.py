"""Redirects Python's file functions to the files of a script's branch (``file_layers.py``).

Before a branch begins none of them is replaced: an audit hook, which Python calls before a file is changed,
keeps what is about to be overwritten. In a branch, it refuses changes that bypass the functions here.
"""

import errno
import functools
import gc
import importlib
import io
import os
import posix
import shutil
import stat
import sys
import types
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from treino.base.words import _
from treino_studio.script.file_layers import SPECIAL, below, files, led, local, missing

_open = io.open

# ---- what the audit hook sees

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
UNNAMED = getattr(os, "O_TMPFILE", 0)
IN_MEMORY = "", ":memory:", b"", b":memory:"
# of these events: the places of the paths in their arguments, and of the folders that they are in
CHANGES = {
    "os.remove": ((0, 1),),
    "os.rmdir": ((0, 1),),
    "os.rename": ((0, 2), (1, 3)),
    "os.mkdir": ((0, 2),),
    "os.link": ((1, 3),),
    "os.symlink": ((1, 2),),
    "os.truncate": ((0, None),),
    "os.chmod": ((0, 2),),
    "os.chown": ((0, 3),),
    "os.utime": ((0, 3),),
    "os.setxattr": ((0, None),),
    "os.removexattr": ((0, None),),
    "sqlite3.connect": ((0, None),),
}
SAME_CONTENT = "os.chmod", "os.chown", "os.utime", "os.setxattr", "os.removexattr"
SAME_PLACE = "os.truncate", "sqlite3.connect"  # what is in the file changes, not what its name stands for
MAKING = "os.mkdir", "os.link", "os.symlink"  # events that fail if something is there
PROGRAMS = "subprocess.Popen", "os.system", "os.exec", "os.posix_spawn"


def listen() -> None:
    """From now on, keep file contents that are about to be overwritten."""
    sys.addaudithook(_hear)


def _hear(event: str, args: tuple[Any, ...]) -> None:
    if event == "open":
        path, _mode, flags = args
        if isinstance(flags, int) and flags & WRITING and path is not None:
            appending = bool(flags & os.O_APPEND) and not flags & os.O_TRUNC
            _about_to(event, path, keep=flags & UNNAMED != UNNAMED, appending=appending)
    elif event in CHANGES:
        for at, folder in CHANGES[event]:
            number = None if folder is None else args[folder]
            if event == "os.rename":
                # the content of the other name is lost, unless shutil.move is going to copy to it
                how = {"moving": True} if at == 0 else {"removing": _same_disk(*args[:2])}
            else:
                how = {"removing": event == "os.remove"}
            _about_to(event, args[at], number, keep=event not in SAME_CONTENT, **how)
    elif event == "mmap.__new__":
        files.mapped = True
    elif event in PROGRAMS and files.in_branch and not files.sealed:
        raise _refusal(
            _(
                "a branch starts no other programs: this kernel can't keep them from the first process's "
                "files"
            ),
            os.fsdecode(args[0]),
        )


def _same_disk(path: Any, other: Any) -> bool:
    try:
        return posix.lstat(path).st_dev == posix.lstat(other).st_dev
    except OSError:
        return False


def _about_to(event: str, path: Any, number: int | None = None, *, keep: bool, **how: bool) -> None:
    """Before a change of a file, keep its content; in a branch, refuse a change that bypasses its folder."""
    database = event == "sqlite3.connect"
    if isinstance(path, int) or (database and path in IN_MEMORY):
        return
    try:
        name = files.path(path, number, follow=event == "open" or event in SAME_PLACE)
    except (OSError, TypeError, ValueError):  # the call itself will say so
        return
    if keep and not (event in MAKING and files.version(name) is not None):
        files.keep(name, **how)
    if not files.in_branch or local.quiet or name.startswith(SPECIAL):
        return
    if database:
        raise _refusal(
            _("SQLite writes by itself, so a branch of a script opens no database: it would be shared"), path
        )
    place = os.path.normpath(os.path.join(posix.getcwd(), os.fsdecode(path)))
    if not below(place, files.own.folder):
        raise _refusal(
            _(
                "a branch of a script writes into its own folder, and this way of writing can't be led "
                "there; open() and the functions of os can"
            ),
            path,
        )


def _refusal(sentence: str, path: Any) -> PermissionError:
    return PermissionError(errno.EPERM, sentence, path)


# ---- what a branch calls in their place


def _open_file(
    file: Any,
    mode: str = "r",
    buffering: int = -1,
    encoding: str | None = None,
    errors: str | None = None,
    newline: str | None = None,
    closefd: bool = True,
    opener: Callable[[Any, int], int] | None = None,
) -> Any:
    if not isinstance(file, int):
        opener = opener or functools.partial(_open_number, mode=0o666)
    return _open(file, mode, buffering, encoding, errors, newline, closefd, opener)


def _open_number(path: Any, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
    name = files.path(path, dir_fd, follow=not flags & os.O_NOFOLLOW)
    writes = flags & WRITING
    place = files.writing(name, flags) if writes else files.reading(name, content=True)
    return posix.open(place, flags, mode)


def _with_place(name: str, *, writes: bool) -> Callable[..., Any]:
    """Return a function of ``os`` that gets a file's actual place instead of the path, its first argument."""
    original = getattr(posix, name)

    def function(path: Any, *args: Any, dir_fd: int | None = None, **kwargs: Any) -> Any:
        if isinstance(path, int):
            return original(path, *args, **kwargs)
        follow = kwargs.get("follow_symlinks", True) and name not in ("lstat", "readlink", "lchown")
        file = files.path(path, dir_fd, follow=follow)
        return original(files.writing(file) if writes else files.reading(file), *args, **kwargs)

    return function


def _access(path: Any, mode: int, *, dir_fd: int | None = None, **kwargs: Any) -> bool:
    if isinstance(path, int):
        return posix.access(path, mode, **kwargs)
    try:
        return posix.access(files.reading(files.path(path, dir_fd)), mode, **kwargs)
    except OSError:
        return False


def _chdir(path: Any) -> None:
    """Go to a folder of the lowest layer, for what compiled libraries read there."""
    if isinstance(path, int):
        return posix.chdir(path)
    name = files.path(path)
    files.names(name)
    lowest = files.layers[0].version(name)
    return posix.chdir(files.reading(name) if lowest is None else lowest.path)


def _getcwd() -> str:
    return files.name(posix.getcwd())


def _getcwdb() -> bytes:
    return os.fsencode(_getcwd())


def _new(path: Any, dir_fd: int | None) -> str:
    """Where to make what isn't there yet."""
    name = files.path(path, dir_fd, follow=False)
    if files.version(name) is not None:
        raise missing(os.fspath(path), errno.EEXIST)
    return files.new(name)


def _mkdir(path: Any, mode: int = 0o777, *, dir_fd: int | None = None) -> None:
    posix.mkdir(_new(path, dir_fd), mode)


def _remove(path: Any, *, dir_fd: int | None = None) -> None:
    name = files.path(path, dir_fd, follow=False)
    status = files.status(name)
    if status is None or stat.S_ISDIR(status.st_mode):
        raise missing(os.fspath(path), errno.ENOENT if status is None else errno.EISDIR)
    if _in_own_layer(name):
        posix.unlink(files.own.place(name))
    files.own.removed.add(name)


def _rmdir(path: Any, *, dir_fd: int | None = None) -> None:
    name = files.path(path, dir_fd, follow=False)
    if files.names(name):
        raise missing(os.fspath(path), errno.ENOTEMPTY)
    if _in_own_layer(name):
        posix.rmdir(files.own.place(name))
    files.own.removed.add(name)


def _rename(src: Any, dst: Any, *, src_dir_fd: int | None = None, dst_dir_fd: int | None = None) -> None:
    source, target = (
        files.path(path, number, follow=False) for path, number in ((src, src_dir_fd), (dst, dst_dir_fd))
    )
    before, after = files.status(source), files.status(target)
    if before is None:
        raise missing(os.fspath(src))
    if stat.S_ISDIR(before.st_mode) and files.version(source, lower=True) is not None:
        raise missing(os.fspath(src), errno.EXDEV)  # shutil.move copies it then
    if after is not None and stat.S_ISDIR(after.st_mode) and files.names(target):
        kind = errno.ENOTEMPTY if stat.S_ISDIR(before.st_mode) else errno.EISDIR
        raise missing(os.fspath(dst), kind)
    place = files.writing(source)
    posix.rename(place, files.new(target))
    files.own.removed.add(source)


def _link(
    src: Any, dst: Any, *, src_dir_fd: int | None = None, dst_dir_fd: int | None = None, **kwargs: Any
) -> None:
    source = files.path(src, src_dir_fd, follow=kwargs.get("follow_symlinks", True))
    target = _new(dst, dst_dir_fd)
    posix.link(files.writing(source), target)


def _symlink(src: Any, dst: Any, target_is_directory: bool = False, *, dir_fd: int | None = None) -> None:
    posix.symlink(src, _new(dst, dir_fd))


def _listdir(path: Any = ".") -> list[Any]:
    if isinstance(path, int):
        return posix.listdir(path)
    path = "." if path is None else path
    name = files.path(path)
    names = posix.listdir(name) if name.startswith(SPECIAL) else files.names(name)
    return [os.fsencode(each) for each in names] if isinstance(path, bytes) else names


class FolderEntry:
    """A name in a folder, as ``os.scandir`` gives it."""

    def __init__(self, folder: Any, name: Any) -> None:
        self.name, self.path = name, os.path.join(folder, name)

    def __fspath__(self) -> Any:
        return self.path

    def __repr__(self) -> str:
        return f"<DirEntry {self.name!r}>"

    def stat(self, *, follow_symlinks: bool = True) -> os.stat_result:
        return os.stat(self.path, follow_symlinks=follow_symlinks)

    def inode(self) -> int:
        return self.stat(follow_symlinks=False).st_ino

    def is_dir(self, *, follow_symlinks: bool = True) -> bool:
        return self._is(stat.S_ISDIR, follow_symlinks)

    def is_file(self, *, follow_symlinks: bool = True) -> bool:
        return self._is(stat.S_ISREG, follow_symlinks)

    def is_symlink(self) -> bool:
        return self._is(stat.S_ISLNK, False)

    def is_junction(self) -> bool:
        return False

    def _is(self, kind: Callable[[int], bool], follow: bool) -> bool:
        try:
            return kind(self.stat(follow_symlinks=follow).st_mode)
        except FileNotFoundError:
            return False


class _Entries:
    """The iterator of ``os.scandir``."""

    def __init__(self, entries: Iterator[FolderEntry]) -> None:
        self._entries = entries

    def __iter__(self) -> "_Entries":
        return self

    def __next__(self) -> FolderEntry:
        return next(self._entries)

    def __enter__(self) -> "_Entries":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        self._entries = iter(())


def _scandir(path: Any = ".") -> Any:
    if isinstance(path, int):
        return posix.scandir(path)
    folder = "." if path is None else os.fspath(path)
    return _Entries(FolderEntry(folder, name) for name in _listdir(folder))


def _in_own_layer(name: str) -> bool:
    return files.own.version(name) is not None


READING = "stat", "lstat", "readlink", "statvfs", "getxattr", "listxattr"
CHANGING = "chmod", "chown", "lchown", "utime", "truncate", "setxattr", "removexattr"


def lead() -> None:
    """From now on, redirect this process's functions to the files of its branch, wherever they are kept."""
    if io.open is not _open:
        return
    calls: dict[Any, Any] = {
        _open: _open_file,
        posix.open: _open_number,
        posix.access: _access,
        posix.chdir: _chdir,
        posix.getcwd: _getcwd,
        posix.getcwdb: _getcwdb,
        posix.mkdir: _mkdir,
        posix.rmdir: _rmdir,
        posix.remove: _remove,
        posix.unlink: _remove,
        posix.rename: _rename,
        posix.replace: _rename,
        posix.link: _link,
        posix.symlink: _symlink,
        posix.listdir: _listdir,
        posix.scandir: _scandir,
        **{getattr(posix, each): _with_place(each, writes=False) for each in READING},
        **{getattr(posix, each): _with_place(each, writes=True) for each in CHANGING},
    }
    _replace({original: functools.wraps(original)(led(function)) for original, function in calls.items()})
    shutil._use_fd_functions = False  # type: ignore[attr-defined]  # a folder of several layers has no descriptor
    sys.dont_write_bytecode = True
    lead_compiled()


def _replace(calls: dict[Any, Any]) -> None:
    """Replace functions by others, also where a module, an object or a default value holds them."""
    ours = {id(calls), *(id(vars(each)) for each in (*calls.values(), posix, sys.modules[__name__]))}
    frozen = gc.get_freeze_count()
    gc.unfreeze()  # get_referrers leaves frozen objects out
    holders = [each for each in gc.get_referrers(*calls) if id(each) not in ours]
    defaults = {id(each): each for each in holders if isinstance(each, tuple)}
    functions = [
        each for each in gc.get_referrers(*defaults.values()) if isinstance(each, types.FunctionType)
    ]
    if frozen:
        gc.freeze()
    for holder in holders:
        if isinstance(holder, set):
            holder |= {calls[each] for each in holder if _is_key(each, calls)}
        elif isinstance(holder, list):
            holder[:] = [_other(each, calls) for each in holder]
        elif not isinstance(holder, (tuple, types.CellType, types.FrameType, types.ModuleType)):
            table = holder if isinstance(holder, dict) else getattr(holder, "__dict__", {})
            if isinstance(table, dict):
                table.update({name: calls[each] for name, each in table.items() if _is_key(each, calls)})
    for function in functions:
        if function.__globals__ is not globals() and function.__defaults__ is not None:
            function.__defaults__ = tuple(_other(each, calls) for each in function.__defaults__)
    sys._clear_type_cache()


def _is_key(value: Any, calls: dict[Any, Any]) -> bool:
    return isinstance(value, types.BuiltinFunctionType) and value in calls


def _other(value: Any, calls: dict[Any, Any]) -> Any:
    return calls[value] if _is_key(value, calls) else value


# ---- compiled functions that open files by themselves

# module, name, and which argument is the path, for functions that cause no audit event
COMPILED: Sequence[tuple[str, str, int, bool]] = (
    ("posix", "mkfifo", 0, True),
    ("posix", "mknod", 0, True),
    ("torch._C", "PyTorchFileWriter", 0, True),
    ("safetensors", "serialize_file", 1, True),
    ("safetensors", "safe_open", 0, False),
)


def lead_compiled() -> None:
    """Wrap compiled functions in each module that has them: note their files, redirect them in a branch."""
    for module, name, at, writes in COMPILED:
        if files.in_branch:  # the script may import it later
            importlib.import_module(module)
        original = getattr(sys.modules.get(module), name, None)
        if original is not None and not hasattr(original, "is_led"):
            function = _led(original, at, writes)
            for other in list(sys.modules.values()):
                if vars(other).get(name) is original:
                    setattr(other, name, function)


def _led(original: Any, at: int, writes: bool) -> Any:
    """Return a compiled function, or a torch class, that gets a file's actual place instead of its name."""

    @led
    def with_place(args: tuple[Any, ...]) -> tuple[Any, ...]:
        path = args[at] if at < len(args) else None
        if not isinstance(path, (str, bytes, os.PathLike)):
            return args
        name = files.path(path)
        if files.in_branch:
            try:
                place = files.writing(name, WRITING) if writes else files.reading(name, content=True)
            except FileNotFoundError:  # the function has an error of its own for that
                place = files.own.place(name)
            return (*args[:at], place, *args[at + 1 :])
        if writes:
            files.keep(name)
        return args

    if isinstance(original, type) and original.__module__.startswith("torch"):

        def initialise(self: Any, *args: Any, **kwargs: Any) -> None:
            original.__init__(self, *with_place(args), **kwargs)  # type: ignore[misc]

        return type(original.__name__, (original,), {"__init__": initialise, "is_led": True})

    @functools.wraps(original)
    def function(*args: Any, **kwargs: Any) -> Any:
        return original(*with_place(args), **kwargs)

    function.is_led = True  # type: ignore[attr-defined]
    return function
