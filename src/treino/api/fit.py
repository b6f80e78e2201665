"""``fit``: train one network on any data and return its ``Run``."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import nn

from treino.api.results import Run, Sweep
from treino.data.torch_datasets.dataset_source import is_torch_dataset
from treino.engine import MLP
from treino.errors import TreinoError
from treino.fit_events import FitRequest, fit_events, settings_before_search
from treino.loop.loop import drained_folder
from treino.records.network_source import UserFiles
from treino.spec import refuse_layers
from treino.tracking.delivery import Tracking
from treino.training.train import drain
from treino.words import _

COURSE = {"num_epochs": "epochs"}
NEEDLESS = {"num_workers", "num_classes"}


def fit(
    data: Any,
    net: nn.Module | MLP | str | None = None,
    *,
    parent: str | Path = "runs",
    lean: bool = False,
    seeds: int | None = None,
    folds: int | None = None,
    until: Any = None,
    watch: Callable[[Any], None] | None = None,
    track: str | Sequence[str] | None = None,
    on: str | None = None,
    gpus_per_chunk: float | None = None,
    **settings: Any,
) -> Run | Sweep:
    """Train one network on ``data`` and return the Run: the same training as ``treino train``.

    data: a built-in's name, a file, a pandas frame with ``target=``, a pair of arrays ``(X, y)``, a Dataset
        or DataLoader of your own, or what ``load`` returned.
    net: ``mlp(64, 32)``, FILE.py:NAME, or an ``nn.Module`` of your own, which takes
        ``[B, *item_shape]`` float32 and returns ``[B, C]`` logits.
    lean: draw no pictures, and keep no copy of rows that are in memory only (such a run isn't resumed).
    seeds, folds: train with so many seeds, or on so many folds of a cross-validation, and return a Sweep
        whose ``figures`` are means and deviations; ``until``, as ``("accuracy", 0.8)``, counts steps to it.
    watch: a function that is told each event of the training. ``treino.fit`` takes ``True`` too: one figure
        that updates in place in a notebook, a line that moves in a terminal.
    track: trackers that are told of it, such as ``"mlflow"`` or several; see ``treino.tracking``.
    on, gpus_per_chunk: the cluster that trains seeds or folds, as for ``sweep``.
    settings: those of the table in ``treino.spec`` (``lr``, ``hidden``, ``epochs``, ...); ``validation`` and
        ``test`` may also be frames or pairs (X, y) with rows of their own. The usual dictionary of courses
        works too: ``num_epochs`` is ``epochs``; ``num_workers`` reads a Dataset of your own, and is not
        needed where rows lie in memory; ``num_classes`` is checked against the data. ``lr="auto"`` tries many
        rates for a short while first.

    Raises:
        TreinoError: bad input. KeyboardInterrupt: after a Ctrl-C, when the run is saved.
    """
    requested = _from_course(settings)
    if isinstance(net, str):
        requested["net"], net = net, None
    if isinstance(net, MLP):
        refuse_layers(settings_before_search(requested))
        layers = ("hidden", "activation", "dropout", "batch_norm", "gates")
        requested = {"recipe": "plain"} | requested | {name: getattr(net, name) for name in layers}
        net = None
    held_back = {
        name: requested.pop(name) for name in ("validation", "test") if _is_rows(requested.get(name))
    }
    workers = settings.get("num_workers", 0) if is_torch_dataset(data) else 0
    request = FitRequest(
        data, requested, UserFiles(), net, seeds=seeds, folds=folds, until=until, parent=parent, lean=lean,
        held_back=held_back, num_workers=workers, classes=settings.get("num_classes"),
        on=on, gpus_per_chunk=gpus_per_chunk,
    )  # fmt: skip
    tracking = Tracking(track)
    events = tracking.events(fit_events(request)[0])
    repeated = request.repeated
    trained = Sweep(drained_folder(events, watch)) if repeated else Run.of(drain(events, watch))
    tracking.warn()
    return trained


def _is_rows(value: Any) -> bool:
    """Whether a split is given as rows in memory."""
    return isinstance(value, tuple) or (hasattr(value, "shape") and getattr(value, "shape", ()) != ())


def _from_course(settings: Mapping[str, Any]) -> dict[str, Any]:
    renamed = {}
    for name, value in settings.items():
        if name in NEEDLESS:
            continue
        ours = COURSE.get(name, name)
        if ours != name and ours in settings:
            raise TreinoError(
                "epochs_twice", _("{a} and {b} are the same setting.").format(a=name, b=ours), _("Give one.")
            )
        renamed[ours] = str(value) if ours == "device" else value
    return renamed
