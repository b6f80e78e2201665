"""Read and check IDX, the file format of MNIST: four files in a folder, gzipped or not.

The format: http://yann.lecun.com/exdb/mnist (magic 0, 0, type, dimensions; big-endian sizes; bytes).
"""

import gzip
import hashlib
import os
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from treino.base import files
from treino.base.errors import Refusal, TreinoError
from treino.base.words import _
from treino.data.download import RemoteFile, fetch

IDX_DAMAGED = Refusal(
    "'{path}' is damaged: {reason}.", "Delete it and run the command again: it is fetched anew."
)

SIZE = 28
# Published SHA-256 of the four files: MNIST has those of the unpacked files, which people compress again;
# REMOTES has those of the gzip files on the mirrors.
MNIST = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
_SIZES_AND_SHA256 = {
    "mnist": (
        (9_912_422, "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"),
        (28_881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
        (1_648_877, "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"),
        (4_542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"),
    ),
    "fashion-mnist": (
        (26_421_880, "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"),
        (29_515, "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"),
        (4_422_102, "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"),
        (5_148, "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"),
    ),
}
REMOTES = {
    name: tuple(RemoteFile(f"{stem}.gz", *of) for stem, of in zip(MNIST, each, strict=True))
    for name, each in _SIZES_AND_SHA256.items()
}
MIRRORS = {
    "mnist": (
        "https://storage.googleapis.com/cvdf-datasets/mnist",
        "https://ossci-datasets.s3.amazonaws.com/mnist",
    ),
    "fashion-mnist": (
        "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion",
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
    ),
}
ROWS = {"train": 60_000, "t10k": 10_000}


def read_idx_set(name: str) -> tuple[NDArray[np.uint8], NDArray[np.uint8], list[str]]:
    """Return pixels ``[70000, 784]``, labels ``[70000]`` (training rows first) and notes.

    Looks for each file in ``$TREINO_DATA/name``, then in the cache, and downloads files that are in neither.
    Raises TreinoError naming a file that is damaged or can't be downloaded.
    """
    notes: list[str] = []
    unpacked = MNIST if name == "mnist" else {}  # none are published for other sets
    paths = {stem: _find(name, stem) for stem in MNIST}
    absent = [remote for remote in REMOTES[name] if paths[remote.name.removesuffix(".gz")] is None]
    if absent:
        host = fetch(name, absent, MIRRORS[name], files.cache_folder() / name)
        paths = {stem: _find(name, stem) for stem in MNIST}
        folder = files.cache_folder() / name
        notes.append(_("Fetched from {host} into {folder}.").format(host=host, folder=folder))
    packed = {remote.name.removesuffix(".gz"): remote.sha256 for remote in REMOTES[name]}
    pixels_ND = np.empty((sum(ROWS.values()), SIZE * SIZE), dtype=np.uint8)
    label_N = np.empty(len(pixels_ND), dtype=np.uint8)
    unknown: list[str] = []
    for part, start in (("train", 0), ("t10k", ROWS["train"])):
        for what, shape in (("images-idx3", (ROWS[part], SIZE, SIZE)), ("labels-idx1", (ROWS[part],))):
            stem = f"{part}-{what}-ubyte"
            path = paths[stem]
            assert path is not None
            values, known = _read(path, shape, unpacked.get(stem), packed.get(stem))
            if not known:
                unknown.append(path.name)
            target = pixels_ND if len(shape) == 3 else label_N
            target[start : start + ROWS[part]] = values.reshape(ROWS[part], *target.shape[1:])
            if len(shape) == 1 and values.max() > 9:
                raise _damaged(path, _("label {n} is not 0 to 9").format(n=values.max()))
    if unknown:
        text = _("No checksum is known for {files}: only their structure was checked.")
        notes.append(text.format(files=", ".join(unknown)))
    return pixels_ND, label_N, notes


def _find(name: str, stem: str) -> Path | None:
    """The path of a file, in either spelling of MNIST's mirrors (``-idx3``, ``.idx3``), gzipped or not."""
    root = os.environ.get("TREINO_DATA", "")
    for folder in (*([Path(root) / name] if root else []), files.cache_folder() / name):
        for spelling in (stem, stem.replace("-idx", ".idx")):
            for ending in (".gz", ""):
                if (folder / (spelling + ending)).is_file():
                    return folder / (spelling + ending)
    return None


def _read(
    path: Path, shape: tuple[int, ...], unpacked: str | None, packed: str | None
) -> tuple[NDArray[np.uint8], bool]:
    """Return the values in an IDX file ``[product of shape]``, and whether its checksum is known."""
    with files.trouble(path):
        content = path.read_bytes()
    known = packed is not None and hashlib.sha256(content).hexdigest() == packed
    if content[:2] == b"\x1f\x8b":
        try:
            content = gzip.decompress(content)
        except (OSError, EOFError, zlib.error) as error:
            raise _damaged(path, str(error)) from None
    header = b"".join(n.to_bytes(4, "big") for n in (0x800 + len(shape), *shape))
    if content[: len(header)] != header:
        got = content[: len(header)].hex() or _("empty")
        raise _damaged(path, _("its header is {got}, not {want}").format(got=got, want=header.hex()))
    size = len(header) + int(np.prod(shape))
    if len(content) != size:
        raise _damaged(path, _("it holds {got} bytes, not {want}").format(got=len(content), want=size))
    digest = hashlib.sha256(content).hexdigest()
    if unpacked not in (None, digest):
        words = _("its SHA-256 is {got}…, not {want}…").format(got=digest[:12], want=str(unpacked)[:12])
        raise _damaged(path, words)
    return np.frombuffer(content, dtype=np.uint8, offset=len(header)), known or unpacked is not None


def _damaged(path: Path, reason: str) -> TreinoError:
    return IDX_DAMAGED(path=path, reason=reason)
