"""Read a zip file's members in small parts, because a member may unpack to more than it declares."""

import zipfile
from collections.abc import Iterator

_CHUNK = 1 << 20
_PACKED = 64  # bytes per read for methods without an output limit: bzip2 can turn 64 bytes into 45 MB
BOMB_RATIO = 200  # tables compress 3 to 20 times, zip bombs over a thousand times


def most_unpacked(packed: int) -> int:
    """The most bytes to which ``packed`` bytes may unpack; a file with more is a zip bomb."""
    return max(1 << 26, BOMB_RATIO * packed)


def is_hidden(name: str) -> bool:
    """Whether a member, or a folder that holds it, is hidden, as the files that systems add themselves."""
    parts = name.split("/")
    return parts[0] == "__MACOSX" or any(part.strip(".") and part.startswith(".") for part in parts)


def zip_chunks(archive: zipfile.ZipFile, member: zipfile.ZipInfo | str) -> Iterator[bytes]:
    """Yield the content of a member, never more than it declares: zipfile reports more as damage."""
    info = archive.getinfo(member) if isinstance(member, str) else member
    bounded = info.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
    with archive.open(info) as stream:
        if isinstance(stream, zipfile.ZipExtFile) and not bounded:
            stream.MIN_READ_SIZE = _PACKED
        while chunk := stream.read(_CHUNK if bounded else _PACKED):
            yield chunk
