"""What the networks of one folder share: rows that are split once, network files, the folder itself."""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from treino.base.errors import Refusal
from treino.base.words import N_
from treino.data.dataset import Data
from treino.folders.access import Access
from treino.folders.data_source import data_of, keep_copy, load_data, reference, source_of
from treino.folders.network_source import (
    NetworkSource,
    copy_words,
    network_files,
    network_source,
    write_copies,
)
from treino.folders.store import RunFolder
from treino.folders.user_network import NetworkFiles
from treino.settings.spec import Settings

FEATURES_SPLIT = Refusal(
    "features_split",
    N_("With the columns {features} more rows are equal to each other, and are split otherwise."),
    N_("Add [[duplicates=ignore]], so that all networks are compared on the same rows."),
)
DATA_IS_LOADED = Refusal(
    "data_is_loaded",
    N_("The data is prepared already, so that all networks see it alike."),
    N_("Give what the data is made from, or leave {names} out."),
)


class SharedRows:
    """The rows as each network's settings prepare them, equal ones as one object; all have the same splits.

    source: as for ``load_data``. first: the rows as the ``shared`` settings prepare them. names: data
    settings in which networks may differ.
    """

    def __init__(self, source: Any, first: Data, shared: Settings, names: Collection[str]) -> None:
        self.source, self.first = source, first
        prepared = {name: first.arguments.get(name, getattr(shared, name)) for name in names}
        self._usual = prepared | self._own(shared, prepared)
        self._known = {json.dumps(self._usual): first}

    def add(self, settings: Settings, data: Data) -> None:
        """Take these rows as those for these settings."""
        self._known[self._key(settings)[1]] = data

    def _key(self, settings: Settings) -> tuple[dict[str, Any], str]:
        own = self._usual | self._own(settings, self._usual)
        return own, json.dumps(own)

    @staticmethod
    def _own(settings: Settings, names: Collection[str]) -> dict[str, Any]:
        return {name: getattr(settings, name) for name in settings.model_fields_set.intersection(names)}

    def __call__(self, settings: Settings) -> Data:
        """The rows for these settings.

        Raises:
            TreinoError: only rows prepared otherwise are available, or the splits would have other rows.
        """
        own, key = self._key(settings)
        if key not in self._known:
            if isinstance(self.source, Data):
                raise DATA_IS_LOADED(names=", ".join(name for name in own if name != "fold"))
            data = load_data(self.source, settings)
            if own.get("fold") == self._usual.get("fold"):
                _check_splits(data, self.first)
            self._known[key] = data
        return self._known[key]


def _check_splits(data: Data, first: Data) -> None:
    """Refuse data whose splits hold other rows than the splits of ``first``.

    Rows that are equal in the chosen columns get the same split, so other columns may change the split.
    """
    if all(rows.index.equal(first.splits[split].index) for split, rows in data.splits.items()):
        return
    raise FEATURES_SPLIT(features=", ".join(data.features))


def own_networks(
    networks: NetworkSource | None, words: Iterable[str | None]
) -> tuple[dict[str, str], NetworkFiles]:
    """Return ``{word as typed: word of the folder's copy}`` and ``{word of the copy: file}``.

    networks: the source of the user's network files that settings name.
    """
    files = network_files(networks, words)
    copies = copy_words(files)
    return copies, {copies[word]: file for word, file in files.items()}


def sources_of(
    folder: RunFolder, access: Access, words: Iterable[str | None]
) -> tuple[Any, Data, NetworkFiles]:
    """The source of a folder's data for ``load_data``, the loaded data, and the network files that these
    words name, if they may run.

    Raises:
        TreinoError: the data is gone; a network's code may not run.
    """
    networks = network_files(network_source(folder, access.net_file, access.trust), words)
    data = data_of(folder, access.data_file)
    return source_of(folder, data, access.data_file), data, networks


@contextmanager
def new_folder(
    kind: str,
    data: Data,
    networks: NetworkFiles,
    *,
    parent: str | Path,
    stem: str,
    name: str | None,
    out: str | Path | None,
) -> Iterator[tuple[RunFolder, Mapping[str, Any]]]:
    """Make a folder with the data's preparation, rows that are in memory only, and network files. Yield it
    with the ``data`` entry of ``spec.json``. stem: the folder is named after the data and ``stem``."""
    where_to = Path(out) if out else None
    with RunFolder.create(
        parent=parent, stem=f"{data.name}-{stem}", name=name, out=where_to, kind=kind
    ) as folder:
        folder.write_json("preparation.json", data.preparation.to_json())
        where = reference(data, folder.path)
        if where["kind"] == "memory":
            keep_copy(folder, data)
        write_copies(folder, networks)
        yield folder, where
