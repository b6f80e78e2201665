"""``manifest.json``: the format, the kind of folder, its status, and the SHA-256 of its files."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from treino.base import files
from treino.base.encoding import json_value, signed
from treino.base.errors import Refusal, TreinoError
from treino.base.files import damaged
from treino.base.words import N_, _, joined

NOT_A_RUN = Refusal(
    "{path} is not a run: it has no {name}.",
    "Give the folder that `treino train` printed; `treino runs` lists them.",
)
FOLDER_MISSING = Refusal(
    "There is no folder {path}.", "`treino runs` lists what is there.", rule="run_missing"
)
RUN_NEWER = Refusal(
    "{path} was made by a newer treino: it has format {found}, this one reads {known}.{state}",
    "Update treino with pip, and repeat the command.",
)

NAME = files.MANIFEST
FORMAT = 1
_FIRST = {"run": "spec.json", "sweep": "asked.json", "study": "spec.json"}
ENDS = (N_("finished"), N_("stopped"), N_("interrupted"), N_("diverged"))
OUTSIDE = ("pictures", "exports", "live")  # folders that may be written at any time, without digests
ABSENT = "-"  # stands for the digest of a file that doesn't exist yet


@dataclass(frozen=True)
class Manifest:
    """A folder's state: `status` is "running" or one of `ENDS`; `files` maps names to SHA-256.

    Names are relative to the folder ("checkpoint/a.safetensors"). While a file is written it has two digests
    separated by a space, the old one (or `ABSENT`) and the new one, since the process may die before or after
    the rename. `created` is in UTC, ISO 8601 to the microsecond, so that it sorts as text. `source`: the
    bytes that it was read from; empty if it wasn't.
    """

    kind: str
    created: str
    status: str = "running"
    files: Mapping[str, str] = field(default_factory=dict)
    source: bytes = field(default=b"", repr=False, compare=False)

    @property
    def sealed(self) -> bool:
        """Whether the folder is complete, with all of its files in `files`."""
        return self.status in ENDS

    @property
    def first(self) -> str:
        """The name of the file that a training writes first; without it nothing can be resumed."""
        return _FIRST[self.kind]

    def needs(self, name: str) -> bool:
        """Whether the file `name` must exist: it is listed, and was written before."""
        return name in self.files and ABSENT not in self.files[name].split()

    def to_bytes(self) -> bytes:
        """JSON that ends with an entry ``sha256`` of the same JSON without this entry."""
        return signed(
            {
                "format": FORMAT,
                "kind": self.kind,
                "created": self.created,
                "status": self.status,
                "files": dict(sorted(self.files.items())),
            }
        )

    @property
    def sha256(self) -> str:
        """The SHA-256 in the manifest's file, which covers all files that the manifest lists."""
        return str(json.loads(self.to_bytes())["sha256"])

    @classmethod
    def from_bytes(cls, data: bytes, path: Path) -> "Manifest":
        """Decode and verify the bytes of `to_bytes`. Raises TreinoError naming `path` if a bit differs, or if
        the format is newer than this version's."""
        content = json_value(data, path)
        if not isinstance(content, dict):
            raise damaged(path, _("it is not a manifest"))
        version = content.get("format")
        if type(version) is not int or version < 1:
            raise damaged(path, _("it names no format"))
        content.pop("sha256", None)
        whole = signed(content) == data
        if version > FORMAT:
            state = "" if whole else joined(["", _("Or it is damaged.")], " ")
            raise RUN_NEWER(path=path, state=state, found=version, known=FORMAT)
        if not whole:
            raise damaged(path, _("its content does not match its own SHA-256"))
        try:
            manifest = cls(
                kind=content["kind"],
                created=content["created"],
                status=content["status"],
                files=content["files"],
                source=data,
            )
            fits = (
                manifest.kind in files.KINDS
                and manifest.status in (*ENDS, "running")
                and isinstance(manifest.created, str)
                and all(inside(name) and isinstance(digest, str) for name, digest in manifest.files.items())
            )
        except (KeyError, TypeError, AttributeError):
            fits = False
        if not fits:
            raise damaged(path, _("it is not a manifest"))
        return manifest


def read(folder: Path, known: Manifest | None = None) -> Manifest:
    """The manifest of `folder`. Errors: `run_missing`, `not_a_run`, and the errors of `Manifest.from_bytes`.

    `folder` may be a link, unless the link is in a sweep's folder. `known`: returned if its bytes are the
    same.
    """
    if folder.is_symlink() and (folder.parent / NAME).exists():
        raise files.link(folder)
    try:
        file = files.inside(folder, NAME)
        data = files.read_bytes(file)
        return known if known is not None and known.source == data else Manifest.from_bytes(data, file)
    except TreinoError as error:
        if error.rule != files.FILE_VANISHED.rule:
            raise
    if not folder.exists():
        raise FOLDER_MISSING(path=folder)
    raise NOT_A_RUN(path=folder, name=NAME)


def inside(name: str) -> bool:
    """Whether `name` is a normalised relative path that stays in the folder."""
    path = PurePosixPath(name)
    return (
        bool(name)
        and str(path) == name
        and not path.is_absolute()
        and ".." not in path.parts
        and all(map(files.portable, path.parts))
    )
