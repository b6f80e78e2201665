"""Decompress a file and detect its encoding, both by its bytes."""

import codecs
import errno
import os
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import BinaryIO, Literal

import pyarrow as pa

from treino.base.errors import Refusal, TreinoError
from treino.base.files import FILE_IS_FOLDER, FILE_UNREADABLE
from treino.base.text import shortened
from treino.base.words import N_, _
from treino.data.readers.zip_members import BOMB_RATIO, is_hidden, most_unpacked, zip_chunks

OLD_WORKBOOK = Refusal(
    "'{path}' is encrypted with a password, or a file of Office before 2007.",
    "Open it, take the password away, save it as .xlsx, .ods or CSV, and give that file.",
    rule="workbook_encrypted",
)
FILE_DAMAGED = Refusal(
    "'{path}' is damaged or was cut short: {what} says '{reason}'.", "Download or write it again."
)
NUL_BYTE = Refusal("'{path}' is no text: byte {n} is NUL.", "Give a plain CSV file.", rule="csv_binary")
CSV_ENCODING = Refusal(
    "'{path}' is not {encoding}: line {n} has the byte {byte}.",
    "Save it as UTF-8, or name its encoding: [[encoding=latin-1]].",
)
FILE_SPECIAL = Refusal("'{path}' is not a regular file.", "Save the table in a CSV file first.")
NO_TABLE = Refusal(
    "'{path}' is no table but a file of this kind: {kind}.",
    "Give a CSV, Parquet, Arrow or JSON-lines file, or a workbook.",
    rule="csv_binary",
)
ZIP_MEMBERS = Refusal(
    "'{path}' holds {n} files, not one table: {names}.",
    "Unpack it and give the table, or several of equal columns: 'folder/*.csv'.",
)
CSV_HTML = Refusal(
    "'{path}' is a web page, not a table: it begins with '{start}'.",
    "Download the file itself: the page was saved in its place.",
)
CSV_EMPTY = Refusal("'{path}' is empty.", "It needs a line of column names and a line for each example.")
FILE_BOMB = Refusal(
    "'{path}' unpacks to more than {ratio} times its size: {mib} MiB and more.",
    "If you trust it, unpack it yourself and give the table.",
)
PACKING_UNKNOWN = Refusal(
    "'{path}' can't be unpacked: {reason}.", "Unpack it yourself and give the table.", rule="file_packing"
)

# ---- the bytes of a file, decompressed

Content = Literal["text", "parquet", "arrow file", "arrow stream", "workbook"]

CHUNK = 1 << 20
_PACKED = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd", b"PK\x03\x04": "zip"}
_OLE = b"\xd0\xcf\x11\xe0"  # the container of workbooks before 2007, and of encrypted new workbooks
_ODS = b"application/vnd.oasis.opendocument.spreadsheet"
_TABLES: dict[bytes, Content] = {
    b"PAR1": "parquet",
    b"ARROW1": "arrow file",
    b"\xff\xff\xff\xff": "arrow stream",
}
_OTHERS = {
    b"%PDF": "PDF",
    b"SQLite format 3": "SQLite",
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
    b"Rar!": "rar",
    b"\x89HDF": "HDF5",
    b"\x93NUMPY": "NumPy",
    b"\x89PNG": "PNG",
    b"\xff\xd8\xff": "JPEG",
    b"RDX": "R",
    b"\x80\x04\x95": "pickle",
    b"\x80\x05\x95": "pickle",
    b"FEA1": "Feather 1",
    b"7z\xbc\xaf": "7z",
    b"PK\x05\x06": N_("empty zip"),
    b"\x7fELF": N_("program"),
}
# errors that zipfile, zlib and Arrow raise for damaged bytes
_STUMBLES = (
    *(zipfile.BadZipFile, zlib.error, pa.ArrowException, struct.error),
    *(ValueError, LookupError, OverflowError),
)


@dataclass(frozen=True)
class InputFile:
    """A regular file. packing: gzip, zstd or zip, or "" for none. member: the file in a zip file, else ""."""

    path: Path
    size: int
    packing: str
    member: str
    content: Content

    def chunks(self) -> Iterator[bytes]:
        """Yield the decompressed content, 1 MiB at a time. Raises TreinoError if the file is damaged or a zip
        bomb."""
        unpacked = 0
        with self._errors(), self._open() as chunks:
            for chunk in chunks:
                unpacked += len(chunk)
                if self.packing:
                    check_unpacked(self.path, self.size, unpacked)
                yield chunk

    def head(self, size: int) -> bytes:
        """The first ``size`` bytes of the decompressed content."""
        head = b""
        for chunk in self.chunks():
            head += chunk
            if len(head) >= size:
                break
        return head[:size]

    @contextmanager
    def _open(self) -> Iterator[Iterator[bytes]]:
        if self.packing == "zip":
            with zipfile.ZipFile(self.path) as archive:
                yield zip_chunks(archive, self.member)
            return
        file: BinaryIO = pa.OSFile(str(self.path)) if self.packing else self.path.open("rb")
        with pa.CompressedInputStream(file, self.packing) if self.packing else file as stream:
            yield iter(lambda: stream.read(CHUNK), b"")

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except MemoryError:
            raise
        except (OSError, EOFError, *_STUMBLES) as error:
            if isinstance(error, OSError) and error.errno not in (None, 0, errno.EINVAL):  # EINVAL: bad seek
                raise unreadable(self.path, error) from None
            raise damaged(self.path, self.packing, error) from None
        except (RuntimeError, NotImplementedError) as error:  # zip: a password, or an unsupported method
            raise PACKING_UNKNOWN(path=self.path, reason=str(error)) from None


def check_unpacked(path: Path, packed: int, unpacked: int) -> None:
    """Refuse a file that unpacks to so many bytes that it must be a zip bomb."""
    if unpacked > most_unpacked(packed):
        raise FILE_BOMB(path=path, ratio=BOMB_RATIO, mib=unpacked >> 20)


def open_file(path: Path) -> InputFile:
    """Open a file and detect its content. Raises TreinoError if the file isn't readable or is no table."""
    try:
        status = os.stat(path)
        if stat.S_ISREG(status.st_mode):
            with path.open("rb") as stream:
                head = stream.read(64)
    except OSError as error:
        raise unreadable(path, error) from None
    if stat.S_ISDIR(status.st_mode):
        raise FILE_IS_FOLDER(path=path, ending=".csv")
    if not stat.S_ISREG(status.st_mode):
        raise FILE_SPECIAL(path=path)
    if head.startswith(_OLE):
        raise OLD_WORKBOOK(path=path)
    if head.startswith(b"PK\x03\x04") and _is_workbook(path):
        return InputFile(path, status.st_size, "", "", "workbook")
    packing = next((name for magic, name in _PACKED.items() if head.startswith(magic)), "")
    plain = InputFile(path, status.st_size, packing, _member(path) if packing == "zip" else "", "text")
    if not packing:
        return InputFile(path, status.st_size, "", "", content_of(path, head))
    inner = content_of(path, plain.head(64))
    if inner != "text":
        raise PACKING_UNKNOWN(path=path, reason=f"{packing}, {inner}")
    return plain


def content_of(path: Path, head: bytes) -> Content:
    """The type of content, by its first bytes. Refuses known types that aren't tables."""
    for magic, content in _TABLES.items():
        if head.startswith(magic):
            return content
    known = {**_OTHERS, **_PACKED}
    kind = next((name for magic, name in known.items() if head.startswith(magic)), None)
    if kind:
        raise NO_TABLE(path=path, kind=_(kind))
    return "text"


def _is_workbook(path: Path) -> bool:
    """Whether a zip file is an .xlsx or .ods. Raises TreinoError if the file is damaged or a zip bomb."""
    try:
        with zipfile.ZipFile(path) as archive:
            infos = archive.infolist()
            names = {info.filename for info in infos}
            ods = "mimetype" in names and archive.getinfo("mimetype").file_size < 200
            mimetype = b"".join(zip_chunks(archive, "mimetype")) if ods else b""
            workbook = "xl/workbook.xml" in names or mimetype.startswith(_ODS)
    except (OSError, NotImplementedError, RuntimeError, *_STUMBLES) as error:
        raise damaged(path, "zip", error) from None
    if workbook:
        check_unpacked(path, sum(i.compress_size for i in infos), sum(i.file_size for i in infos))
    return workbook


def _member(path: Path) -> str:
    """The name of the only table in a zip file."""
    try:
        with zipfile.ZipFile(path) as archive:
            inside = [info for info in archive.infolist() if not info.filename.endswith("/")]
            members = [info for info in inside if not is_hidden(info.filename)]
    except (OSError, NotImplementedError, *_STUMBLES) as error:
        raise damaged(path, "zip", error) from None
    if len(members) != 1:
        names = ", ".join(info.filename for info in members[:4]) or "-"
        raise ZIP_MEMBERS(path=path, n=len(members), names=names)
    info = members[0]
    if info.flag_bits & 1:
        raise PACKING_UNKNOWN(path=path, reason=_("it is encrypted with a password"))
    if stat.S_ISLNK(info.external_attr >> 16):
        raise PACKING_UNKNOWN(path=path, reason=_("a link in an archive"))
    check_unpacked(path, info.compress_size, info.file_size)
    return info.filename


def damaged(path: Path, what: str, error: Exception) -> TreinoError:
    reason = " ".join(str(error).split())[:120] or type(error).__name__
    return FILE_DAMAGED(path=path, what=what or "treino", reason=reason)


def unreadable(path: Path, error: OSError) -> TreinoError:
    """The error for a file that the system does not let us read."""
    return FILE_UNREADABLE(path=path, reason=error.strerror)


# ---- encoding of a text file, and its text as UTF-8

_MARKS = {  # longer marks first: the mark of UTF-32-LE begins with the mark of UTF-16-LE
    **dict.fromkeys((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE), "utf-32"),
    codecs.BOM_UTF8: "utf-8-sig",
    **dict.fromkeys((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE), "utf-16"),
}
_NAMES = {"utf-8-sig": "UTF-8", "utf-8": "UTF-8", "cp1252": "Windows-1252"}
_WHOLE = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_HIGH = re.compile(rb"[\x80-\xff]")
# bytes undefined in Windows-1252, or four non-ASCII letters in a row, which no European word has
_NOT_1252 = re.compile(rb"[\x81\x8d\x8f\x90\x9d]|[\x80-\xff]{4}")
_PAGE = ("<!doctype", "<html", "<?xml", "<head")


@dataclass(frozen=True)
class DecodedText:
    """The text of a file. codec: Python's name of the encoding. quoted: whether there is a double quote.
    until: the number of UTF-8 bytes before notes below the table; None without notes."""

    file: InputFile
    codec: str
    quoted: bool
    until: int | None = None

    @property
    def encoding(self) -> str:
        return _NAMES.get(self.codec, self.codec.upper())

    def chunks(self) -> Iterator[bytes]:
        """Yield the text as UTF-8 without a byte-order mark."""
        decoder, left = codecs.getincrementaldecoder(self.codec)(), self.until
        for chunk in self.file.chunks():
            text = chunk if self.codec == "utf-8" else decoder.decode(chunk).encode()
            if left is not None:
                text, left = text[:left], max(0, left - len(text))
            yield text

    def lines(self) -> Iterator[str]:
        """Yield the lines with their ends."""
        left = list[bytes]()
        for chunk in self.chunks():
            left.append(chunk)
            if b"\n" in chunk or b"\r" in chunk:
                *whole, last = b"".join(left).splitlines(keepends=True)
                yield from map(bytes.decode, whole)
                left = [last]
        yield from map(bytes.decode, b"".join(left).splitlines(keepends=True))

    def head(self, size: int) -> tuple[str, bool]:
        """Return (the first ``size`` bytes as characters, whether they are the whole text)."""
        head, whole = b"", True
        for chunk in self.chunks():
            if len(head) >= size:
                whole = False
                break
            head += chunk
        whole = whole and len(head) <= size
        return head[:size].decode("utf-8", errors="ignore"), whole


def decide(file: InputFile, encoding: str | None) -> DecodedText:
    """Detect the encoding: by a byte-order mark, else UTF-8 if all bytes are valid, else Windows-1252.

    Raises TreinoError for bytes that fit none of these, for NUL, for a file without text, and for a web page.
    """
    codec = codecs.lookup(encoding).name if encoding else _marked(file.head(4096))
    if codec == "utf-8" and file.head(3) == codecs.BOM_UTF8:
        codec = "utf-8-sig"
    if codec == "utf-8" and not encoding and b"\0" in file.head(4096):
        raise NUL_BYTE(path=file.path, n=file.head(4096).index(b"\0"))
    quoted, error = _scan(file, codec)
    if error and not encoding and codec == "utf-8":
        _check_1252(file, error)
        codec, quoted = "cp1252", _scan(file, "cp1252")[0]
    elif error:
        raise error
    text = DecodedText(file, codec, quoted)
    start = text.head(4096)[0].lstrip()
    if start[:200].lower().startswith(_PAGE):
        raise CSV_HTML(path=file.path, start=shortened(start, 20))
    return text


def beginning(file: InputFile) -> str:
    """The first characters of a file, without blanks before them, in the encoding that its bytes suggest."""
    head = file.head(1 << 12)
    return head.decode(_marked(head), errors="ignore").lstrip("\ufeff \t\r\n")


def _marked(head: bytes) -> str:
    """The encoding by a byte-order mark, or UTF-16 if NULs alternate; else UTF-8, which is checked later."""
    for mark, codec in _MARKS.items():
        if head.startswith(mark):
            return codec
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if max(even, odd) * 4 > len(head) and min(even, odd) * 20 <= max(even, odd):
        return "utf-16-be" if even > odd else "utf-16-le"
    return "utf-8"


def _scan(file: InputFile, codec: str) -> tuple[bool, TreinoError | None]:
    """Return (whether there is a double quote, the error for the first byte that can't be decoded, or None).

    Refuses NUL and blank text.
    """
    decoder = codecs.getincrementaldecoder(codec)()
    quoted, blank, before = False, True, 0
    for chunk in chain(file.chunks(), [b""]):
        if codec == "utf-8" and chunk.isascii() and not decoder.getstate()[0]:
            text = chunk  # decoding would only copy the chunk
        else:
            pending = len(decoder.getstate()[0])
            try:
                text = decoder.decode(chunk, not chunk).encode()
            except UnicodeDecodeError as error:
                return quoted, _undecodable(file, codec, before - pending + error.start)
        if b"\0" in text:
            raise NUL_BYTE(path=file.path, n=before + text.index(b"\0"))
        quoted = quoted or b'"' in text
        blank = blank and not text.strip(b"\xef\xbb\xbf \t\r\n")
        before += len(chunk)
    if blank:
        raise CSV_EMPTY(path=file.path)
    return quoted, None


def _undecodable(file: InputFile, codec: str, offset: int) -> TreinoError:
    """The error for the byte at the offset; it names the byte and its line."""
    line, byte = 1, b""
    for chunk in file.chunks():
        line += chunk[: max(offset, 0)].count(b"\n")
        if offset < len(chunk):
            byte = chunk[max(offset, 0) : offset + 1]
            break
        offset -= len(chunk)
    return CSV_ENCODING(
        path=file.path, encoding=_NAMES.get(codec, codec.upper()), n=line, byte=f"0x{byte.hex()}"
    )


def _check_1252(file: InputFile, error: TreinoError) -> None:
    """Refuse text that is probably damaged UTF-8 or in another encoding.

    Such text has unused bytes, runs of non-ASCII letters, or mostly valid UTF-8 sequences.
    """
    whole = high = 0
    for chunk in file.chunks():
        whole += sum(map(len, _WHOLE.findall(chunk)))
        high += len(_HIGH.findall(chunk))
        if _NOT_1252.search(chunk):
            raise error
    if 2 * whole >= high:
        raise error
