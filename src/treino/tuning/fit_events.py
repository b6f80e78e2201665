"""Events of one ``fit``: of a single network, or of the same with several seeds or folds; ``lr="auto"``."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from treino.data.dataset import Data
from treino.data.torch_datasets.dataset_source import is_torch_dataset
from treino.errors import TreinoError
from treino.loop.loop import JobEvent
from treino.pictures.illustration import illustrated
from treino.records.data_source import prepared_beside
from treino.records.network_source import NetworkSource, network_files
from treino.records.user_network import NetworkFiles
from treino.spec import Settings, read_settings
from treino.training.train import Start, training
from treino.tuning.learning_rate_search import Rates, find_rate, search_rows
from treino.tuning.repeats import repeat_events
from treino.words import _

AUTO = "auto"  # as a learning rate: many are tried for a short while


@dataclass(frozen=True, eq=False)
class FitRequest:
    """What is to be trained, and how often.

    networks: where the file comes from that settings name as a network of the user's own; None: none may
    run. net: a module in its place. start: the weights to begin with. lean: no pictures, no copy of rows in
    memory.
    """

    source: Any
    settings: Mapping[str, Any]
    networks: NetworkSource | None
    net: nn.Module | None = None
    seeds: int | None = None
    folds: int | None = None
    until: Any = None
    start: Start | None = None
    parent: str | Path = "runs"
    lean: bool = False

    @property
    def repeated(self) -> bool:
        """Whether several networks are trained, which differ in their seeds or folds."""
        return self.seeds is not None or self.folds is not None


@dataclass(frozen=True, eq=False)
class PreparedFit:
    """A request with every setting decided. rates: those that were tried, and rows: what they were tried on;
    None where the request named its rate."""

    request: FitRequest
    settings: Settings
    files: NetworkFiles
    rates: Rates | None = None
    rows: Data | None = None


def prepare_fit(request: FitRequest) -> PreparedFit:
    """Read the settings, and look for the learning rate where that is ``auto``.

    Raises:
        TreinoError: a request that contradicts itself; a setting that is out of range; every rate diverged.
    """
    check_request(request)
    read = settings_before_search(request.settings)
    files = network_files(request.networks, [read.net])
    if request.settings.get("lr") != AUTO:
        return PreparedFit(request, read, files)
    cache = None if request.repeated else prepared_beside(request.parent, read.out)
    rows = search_rows(request.source, read, cache)
    rates = find_rate(rows, read, request.net, files)
    read = read_settings({n: getattr(read, n) for n in read.model_fields_set} | {"lr": rates.chosen})
    return PreparedFit(request, read, files, rates, rows)


def settings_before_search(settings: Mapping[str, Any]) -> Settings:
    """The settings but for a learning rate that is still to be found.

    Raises:
        TreinoError: one is unknown or out of range.
    """
    return read_settings({name: value for name, value in settings.items() if (name, value) != ("lr", AUTO)})


def fit_events(fit: PreparedFit) -> Iterator[JobEvent]:
    """Train, with pictures of a single network at its end.

    Raises:
        TreinoError: bad input (status 2) or a failing machine (status 1).
    """
    request, read = fit.request, fit.settings
    if request.repeated:
        events = repeat_events(
            request.source,
            seeds=request.seeds,
            folds=request.folds,
            until=request.until,
            parent=request.parent,
            settings={n: getattr(read, n) for n in read.model_fields_set},
            networks=request.networks,
            data=fit.rows,
        )
    else:
        events = training(
            request.source,
            read,
            net=request.net,
            networks=fit.files,
            parent=request.parent,
            start=request.start,
            lean=request.lean,
            data=fit.rows,
        )
        events = events if request.lean else illustrated(events)
    return events if fit.rates is None else fit.rates.kept(events)


def check_request(request: FitRequest) -> None:
    """Refuse a request whose parts contradict each other.

    Raises:
        TreinoError: with the parts.
    """
    if request.until is not None and not request.repeated:
        raise TreinoError(
            "until_alone",
            _("[[until]] counts the steps of several networks."),
            _("Add [[seeds=20]], or leave it out."),
        )
    if not request.repeated:
        return
    if request.start is not None:
        raise TreinoError(
            "weights_of_several",
            _("[[weights]] begins one network, and [[seeds]] and [[folds]] train several."),
            _("Leave one of them out."),
        )
    if request.net is not None or is_torch_dataset(request.source):
        raise TreinoError(
            "several_of_these",
            _("Several seeds or folds need rows in memory, and a network that can be made anew."),
            _("Give a table or arrays, and mlp(64, 32) or net='FILE.py:NAME'."),
        )
