"""Download built-in data sets from several mirrors, and verify them by SHA-256.

A file is ``NAME.part`` until its digest is right. Nothing is unpacked here.
"""

import hashlib
import http.client
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from treino.base import files, lock
from treino.base.errors import Refusal
from treino.base.words import _

DOWNLOAD_FAILED = Refusal(
    "{file} of {name} could not be fetched: {reasons}.",
    "Try again later, or put the file into {folder}; TREINO_MIRROR names another mirror. "
    "The data set digits needs no network.",
    status=1,
)
OFFLINE = Refusal(
    "{name} is not here, and TREINO_OFFLINE forbids to fetch it: {files}.",
    "Put the files into {folder}, or unset TREINO_OFFLINE. The data set digits needs no network.",
    status=1,
)

TIMEOUT_S = 30.0  # maximum seconds without a byte
TRIES = 3  # attempts per mirror
_BLOCK = 1 << 16


@dataclass(frozen=True)
class RemoteFile:
    """A file on a mirror. size (in bytes) and sha256 describe the file as downloaded."""

    name: str
    size: int
    sha256: str


class _DownloadFailure(Exception):  # noqa: N818 - never leaves this file
    """The failure of one attempt. again: whether another attempt at the same mirror may help."""

    def __init__(self, reason: str, again: bool) -> None:
        super().__init__(reason)
        self.again = again


def fetch(name: str, remotes: Sequence[RemoteFile], mirrors: Sequence[str], folder: Path) -> str:
    """Download these files of the data set ``name`` into ``folder``. Return the host of the last file.

    mirrors: addresses of folders, tried in order. ``$TREINO_MIRROR`` replaces them by a mirror with a folder
    for each data set; with ``$TREINO_OFFLINE`` nothing is downloaded.

    Raises:
        TreinoError: offline, or no mirror gave the right file; the message lists the failure of each mirror.
    """
    names = ", ".join(remote.name for remote in remotes)
    if os.environ.get("TREINO_OFFLINE", "") not in ("", "0"):
        raise OFFLINE(name=name, files=names, folder=folder)
    own = os.environ.get("TREINO_MIRROR", "")
    addresses = [f"{own.rstrip('/')}/{name}/"] if own else [m.rstrip("/") + "/" for m in mirrors]
    files.make_folder(folder)
    busy = folder / lock.NAME
    descriptor = lock.acquire(busy)
    try:
        host = ""
        for remote in remotes:
            host = _fetch_one(name, remote, addresses, folder)
        return host
    finally:
        lock.release(descriptor, busy, unlink=True)


def _fetch_one(name: str, remote: RemoteFile, addresses: Sequence[str], folder: Path) -> str:
    failures: list[str] = []
    for address in addresses:
        host = urlsplit(address).netloc or address
        text = _("Fetching {file} ({size:.1f} MB) from {host}")
        print(text.format(file=remote.name, size=remote.size / 1e6, host=host), file=sys.stderr)
        for attempt in range(TRIES):
            try:
                _attempt(address + remote.name, remote, folder)
                return host
            except _DownloadFailure as unusable:
                if attempt == TRIES - 1 or not unusable.again:
                    failures.append(f"{host}: {unusable}")
                    break
    raise DOWNLOAD_FAILED(file=remote.name, name=name, reasons="; ".join(failures), folder=folder)


def _attempt(url: str, remote: RemoteFile, folder: Path) -> None:
    """Make one request for a file; it is renamed from ``NAME.part`` once its digest is right."""
    part, sha, size = folder / f"{remote.name}.part", hashlib.sha256(), 0
    with files.trouble(part):
        out = open(part, "wb")  # noqa: SIM115 - trouble() must cover only our disk
    try:
        with out, urllib.request.urlopen(url, timeout=TIMEOUT_S) as response:
            while size <= remote.size and (block := response.read(min(_BLOCK, remote.size + 1 - size))):
                with files.trouble(part):
                    out.write(block)
                sha.update(block)
                size += len(block)
            with files.trouble(part):
                out.flush()
                os.fsync(out.fileno())
        _check(remote, size, sha.hexdigest())
        with files.trouble(part):
            os.replace(part, folder / remote.name)
    except urllib.error.HTTPError as error:
        raise _DownloadFailure(
            _("it answers {code}").format(code=error.code), error.code in (429, 503)
        ) from None
    except urllib.error.URLError as error:  # the mirror was not reached
        raise _DownloadFailure(str(getattr(error.reason, "strerror", None) or error.reason), False) from None
    except OSError as error:  # the connection was lost
        raise _DownloadFailure(str(error.strerror or error), True) from None
    except (http.client.HTTPException, ValueError) as error:
        raise _DownloadFailure(_("its answer can't be read ({reason})").format(reason=error), True) from None
    finally:
        part.unlink(missing_ok=True)


def _check(remote: RemoteFile, size: int, digest: str) -> None:
    """Refuse downloaded content whose size or digest isn't that of the file."""
    if size < remote.size:
        text = _("it broke off after {got} of {want} bytes").format(got=size, want=remote.size)
        raise _DownloadFailure(text, True)
    if size > remote.size:
        raise _DownloadFailure(_("it is longer than {want} bytes").format(want=remote.size), False)
    if digest != remote.sha256:
        text = _("its SHA-256 is {got}…, not {want}…").format(got=digest[:12], want=remote.sha256[:12])
        raise _DownloadFailure(text, False)
