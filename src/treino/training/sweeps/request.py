"""What is asked for where many networks train, a sweep, seeds, folds or a study, and the folder for it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import nn

from treino.base.errors import Refusal
from treino.data.dataset import Data
from treino.folders.data_source import keep_copy, load_data, reference
from treino.folders.network_source import NetworkSource, copy_words, network_files, write_copies
from treino.folders.own_code import with_own_code, write_own_code
from treino.folders.store import RunFolder
from treino.folders.user_network import NetworkFiles, as_arguments
from treino.settings.options import HERE, ClusterOptions, StudyOptions, SweepOptions
from treino.settings.spec import OF_PLACE, Settings, read_settings
from treino.training.sweeps.distribution import device_here

ROWS_IN_MEMORY = Refusal(
    "A sweep or a study needs its rows in memory, and {name} is read item by item.", "Give a table or arrays."
)


@dataclass(frozen=True, eq=False)
class ManyRequest:
    """Networks to train together.

    source: a built-in's name, a file, a frame, a pair of arrays, or the result of ``load``. settings: shared
    by all; ``name`` and ``out`` of them say where the folder goes. networks: the source of the user's network
    files that settings name. data: the source as ``load_data`` read it with the shared
    settings, if already loaded. place: the cluster that trains.
    """

    source: Any
    settings: Mapping[str, Any] = field(default_factory=dict)
    networks: NetworkSource | None = None
    parent: str | Path = "runs"
    data: Data | None = None
    place: ClusterOptions = HERE

    def __post_init__(self) -> None:
        self.where_to()  # refuses both

    @cached_property
    def asked(self) -> dict[str, Any]:
        """The settings of the networks, with the user's own entries by the names of what is kept of them."""
        return with_own_code(self.networks, {n: v for n, v in self.settings.items() if n not in OF_PLACE})

    def where_to(self) -> Settings:
        """The folder's place."""
        return read_settings({n: v for n, v in self.settings.items() if n in OF_PLACE})

    @property
    def device(self) -> dict[str, str]:
        """The setting ``device`` where a cluster trains; else {}."""
        return device_here(self.asked, self.place)

    def files(self, words: Iterable[str | None]) -> tuple[dict[str, str], NetworkFiles]:
        """Return ``{word as typed: word of the folder's copy}`` and ``{word of the copy: file}`` of the
        network files that these words name."""
        files = network_files(self.networks, words)
        copies = copy_words(files)
        return copies, {copies[word]: file for word, file in files.items()}

    def rows(self, shared: Settings, nets: Iterable[nn.Module | None]) -> tuple[Any, Data]:
        """The source and its rows. nets: the networks, which say what whole numbers in it are.

        Raises:
            TreinoError: no such data; its rows are not in memory.
        """
        source = as_arguments(self.source, nets)
        data = load_data(source, shared) if self.data is None else self.data
        if not isinstance(data.train.x, torch.Tensor):
            raise ROWS_IN_MEMORY(name=data.name)
        return source, data

    @contextmanager
    def new_folder(
        self, kind: str, stem: str, data: Data, files: NetworkFiles, own: Iterable[object]
    ) -> Iterator[tuple[RunFolder, Mapping[str, Any]]]:
        """Make the folder, named after the data and ``stem``, with the data's preparation, rows that are in
        memory only, and the user's files. Yield it with the ``data`` entry of ``spec.json``. own: the names
        of the user's own losses and so on."""
        stem, to = f"{data.name}-{stem}", self.where_to()
        out = Path(to.out) if to.out else None
        with RunFolder.create(parent=self.parent, stem=stem, name=to.name, out=out, kind=kind) as folder:
            folder.write_json("preparation.json", data.preparation.to_json())
            where = reference(data, folder.path)
            if where["kind"] == "memory":
                keep_copy(folder, data)
            write_copies(folder, files)
            write_own_code(folder, own)
            yield folder, where


@dataclass(frozen=True, eq=False, kw_only=True)
class SweepRequest(ManyRequest):
    """A sweep, or seeds or folds.

    space: what to try; see ``treino.training.search.space``. options: how; a ``SweepPlan`` with ``spread``
    for seeds and folds. notes: sentences on how the settings were chosen.
    """

    space: Any
    options: SweepOptions = field(default_factory=SweepOptions)
    notes: Sequence[str] = ()


@dataclass(frozen=True, eq=False, kw_only=True)
class StudyRequest(ManyRequest):
    """A study. settings: of them ``optimizer`` and ``shuffle`` may be several. options: what it compares."""

    options: StudyOptions = field(default_factory=StudyOptions)
