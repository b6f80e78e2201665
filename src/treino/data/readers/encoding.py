"""Encoding of a text file, detected from all of its bytes, and its text as UTF-8."""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass

from treino.data.readers.file_bytes import InputFile
from treino.data.table import shorten
from treino.errors import TreinoError
from treino.words import _

_MARKS = {  # longer marks first: UTF-32's begins with UTF-16's
    codecs.BOM_UTF32_LE: "utf-32", codecs.BOM_UTF32_BE: "utf-32", codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16",
}  # fmt: skip
_NAMES = {"utf-8-sig": "UTF-8", "utf-8": "UTF-8", "cp1252": "Windows-1252"}
_WHOLE = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_HIGH = re.compile(rb"[\x80-\xff]")
_NOT_1252 = re.compile(rb"[\x81\x8d\x8f\x90\x9d]|[\x80-\xff]{4}")  # no European word has four in a row
_PAGE = ("<!doctype", "<html", "<?xml", "<head")


@dataclass(frozen=True)
class DecodedText:
    """The text of a file. codec: Python's name of the encoding. quoted: it contains a double quote."""

    file: InputFile
    codec: str
    quoted: bool

    @property
    def encoding(self) -> str:
        return _NAMES.get(self.codec, self.codec.upper())

    @property
    def direct(self) -> bool:
        """Whether the file's bytes are the UTF-8 text, without decoding."""
        return self.codec == "utf-8" and not self.file.packing

    def chunks(self) -> Iterator[bytes]:
        """The text as UTF-8 without a byte-order mark."""
        if self.codec == "utf-8":
            yield from self.file.chunks()
            return
        decoder = codecs.getincrementaldecoder(self.codec)()
        for chunk in self.file.chunks():
            yield decoder.decode(chunk).encode()

    def head(self, size: int) -> tuple[str, bool]:
        """(the first characters, whether they are the whole text)."""
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

    Raises TreinoError for bytes that fit none, for NUL, for a file without text, and for a web page.
    """
    codec = codecs.lookup(encoding).name if encoding else _marked(file.head(4096))
    if codec == "utf-8" and file.head(3) == codecs.BOM_UTF8:
        codec = "utf-8-sig"
    if codec == "utf-8" and not encoding and b"\0" in file.head(4096):
        raise _binary(file, file.head(4096).index(b"\0"))
    quoted, error = _scan(file, codec)
    if error and not encoding and codec == "utf-8":
        _check_1252(file, error)
        codec, quoted = "cp1252", _scan(file, "cp1252")[0]
    elif error:
        raise error
    text = DecodedText(file, codec, quoted)
    start = text.head(4096)[0].lstrip()
    if start[:200].lower().startswith(_PAGE):
        raise TreinoError(
            "csv_html",
            _("'{path}' is a web page, not a table: it begins with '{start}'.").format(
                path=file.path, start=shorten(start, 20)
            ),
            _("Download the file itself: the page was saved in its place."),
        )
    return text


def _marked(head: bytes) -> str:
    """The encoding by a byte-order mark, or by NUL in every second byte; else UTF-8, still to be checked."""
    for mark, codec in _MARKS.items():
        if head.startswith(mark):
            return codec
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if max(even, odd) * 4 > len(head) and min(even, odd) * 20 <= max(even, odd):
        return "utf-16-be" if even > odd else "utf-16-le"
    return "utf-8"


def _scan(file: InputFile, codec: str) -> tuple[bool, TreinoError | None]:
    """(whether there is a double quote, a message about the first byte that can't be decoded).

    Refuses NUL and blank text.
    """
    decoder = codecs.getincrementaldecoder(codec)()
    quoted, blank, before = False, True, 0
    for chunk in _with_end(file.chunks()):
        if codec == "utf-8" and chunk.isascii() and not decoder.getstate()[0]:
            text = chunk  # decoding would only copy it
        else:
            pending = len(decoder.getstate()[0])
            try:
                text = decoder.decode(chunk, not chunk).encode()
            except UnicodeDecodeError as error:
                return quoted, _undecodable(file, codec, before - pending + error.start)
        if b"\0" in text:
            raise _binary(file, before + text.index(b"\0"))
        quoted = quoted or b'"' in text
        blank = blank and not text.strip(b"\xef\xbb\xbf \t\r\n")
        before += len(chunk)
    if blank:
        raise TreinoError(
            "csv_empty",
            _("'{path}' is empty.").format(path=file.path),
            _("It needs a line of column names and a line for each example."),
        )
    return quoted, None


def _binary(file: InputFile, byte: int) -> TreinoError:
    return TreinoError(
        "csv_binary",
        _("'{path}' is no text: byte {n} is NUL.").format(path=file.path, n=byte),
        _("Give a plain CSV file."),
    )


def _with_end(chunks: Iterator[bytes]) -> Iterator[bytes]:
    yield from chunks
    yield b""


def _undecodable(file: InputFile, codec: str, offset: int) -> TreinoError:
    """The byte at the offset, and its line."""
    line, byte = 1, b""
    for chunk in file.chunks():
        line += chunk[: max(offset, 0)].count(b"\n")
        if offset < len(chunk):
            byte = chunk[max(offset, 0) : offset + 1]
            break
        offset -= len(chunk)
    return TreinoError(
        "csv_encoding",
        _("'{path}' is not {encoding}: line {n} has the byte {byte}.").format(
            path=file.path, encoding=_NAMES.get(codec, codec.upper()), n=line, byte=f"0x{byte.hex()}"
        ),
        _("Save it as UTF-8, or name its encoding: [[encoding=latin-1]]."),
    )


def _check_1252(file: InputFile, error: TreinoError) -> None:
    """Refuse text that is probably damaged UTF-8 or another encoding: too many non-ASCII letters in a row."""
    whole = high = 0
    for chunk in file.chunks():
        whole += sum(map(len, _WHOLE.findall(chunk)))
        high += len(_HIGH.findall(chunk))
        if _NOT_1252.search(chunk):
            raise error
    if 2 * whole >= high:
        raise error
