"""The refit of a run: when it is judged, its settings train once more on all rows, in a run in its folder.

The judged run stays as it is, to the last bit. Its refit is a run like any other, without held-back rows: it
can be shown, verified and resumed. It is the one that predicts; see ``StoredRun.refit``.
"""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain
from typing import Any

from torch import nn

from treino import training
from treino.data.dataset import Data
from treino.engine import CNN
from treino.engine.net_state import put_state
from treino.engine.user_module import module_copy
from treino.folders.access import Access
from treino.folders.data_source import COPY, all_rows_of
from treino.folders.documents.reading import read_tensors
from treino.folders.network_source import network_files, network_source
from treino.folders.stored_run import REFIT, StoredRun
from treino.settings.network_settings import LAYERS
from treino.training.loop import JobEnd, JobEvent, JobProgress, JobRefit
from treino.training.replay import Snapshot
from treino.training.resolution import refit_settings
from treino.training.stored_training import START, user_data
from treino.training.train import RunJob, Start, resuming, train_events


def length_of(run: StoredRun, rows: Data) -> dict[str, Any]:
    """How long a run's refit trains: as many passes over its rows as the kept weights took over fewer, in
    epochs, or in steps if the run's length was set in steps. Of an ensemble, the networks that answer train,
    each for as long as it did."""
    result, s = run.result, run.resolved
    assert result is not None
    size = len(rows.train) if s.batch_size == "full" else s.batch_size
    per = -(-len(rows.train) // size)  # steps of an epoch
    length: dict[str, Any] = {"epochs": max(1, result.kept_epoch or 0)}
    if result.answering:
        kept = [max(1, m.kept_epoch) if n in result.answering else 0 for n, m in enumerate(result.members)]
        length = {"epochs": max(kept), "member_epochs": kept}
    elif s.steps is not None:
        length = {"steps": max(1, round((result.kept_step or 0) * per / result.steps_per_epoch))}
    steps = length.get("steps") or length["epochs"] * per
    return length if s.warmup <= steps else length | {"warmup": steps}


def continued(
    snapshot: Snapshot,
    changes: Mapping[str, Any],
    *,
    in_place: bool,
    sender: str = "",
    alerts: str | Sequence[str] | None = None,
    allow_network: bool = False,
) -> Iterator[JobEvent]:
    """The events of a training that goes on from a snapshot, as ``watched``.

    in_place: as the next segment of the run (``rewinding``), not as a new run (``branching``). alerts: as
    texts. allow_network: whether they may send to addresses.
    """
    run, metric = snapshot.run, changes.get("metric", snapshot.settings["metric"])
    given = training.given_alerts(alerts, network=allow_network, metric=metric)
    way = training.rewinding if in_place else training.branching
    check = partial(training.check_alerts, given)
    data = snapshot.data if run.spec.data.kind == "given" else None
    return watched(way(snapshot, changes, sender=sender, check=check), run.access, data, given)


def watched(
    stream: Iterator[JobEvent], access: Access, data: Any = None, alerts: Sequence[Any] = ()
) -> Iterator[JobEvent]:
    """The events of a run's training, with its alerts and treino's own, and of its refit.

    access, data: as for ``with_refit``.
    """
    return with_refit(_with_alerts(stream, alerts), access, data)


def _with_alerts(stream: Iterator[JobEvent], alerts: Sequence[Any]) -> Iterator[JobEvent]:
    """Only a convolutional network has alerts of treino's own: the others start without importing what
    watches them."""
    for first in stream:
        job, events = first.job, chain([first], stream)
        own = isinstance(job, RunJob) and isinstance(job.training.model.net, CNN)
        yield from training.alerted(events, alerts) if alerts or own else events


def with_refit(stream: Iterator[JobEvent], access: Access, data: Any = None) -> Iterator[JobEvent]:
    """The events of a run's training; before the last one the progress of its refit, if it has one.

    access, data: as for ``resuming``; data may also be another source of the rows.
    """
    for event in stream:
        if isinstance(event, JobEnd) and event.job.run is not None and event.job.run.awaits_refit:
            for inner in refit_events(event.job.run, access, data):
                if isinstance(inner, JobProgress):
                    yield JobRefit(inner.job, inner.tick)
                elif isinstance(inner, JobEnd):
                    event = replace(event, document=inner.document, interrupted=inner.interrupted)
        yield event


def refit_events(run: StoredRun, access: Access, data: Any = None) -> Iterator[JobEvent]:
    """The events of the refit of a finished run, or of what is left of it; the last one tells of the run.

    access, data: as for ``with_refit``.
    """
    given, place = run.spec.data.kind == "given", run.folder.within(REFIT)
    if (place / "spec.json").is_file():
        events = resuming(place, access, data=data if given else None)
    else:
        shutil.rmtree(place, ignore_errors=True)  # left by a process that was killed before the first step
        events = _begun(run, access, data)
    for event in events:
        if isinstance(event, JobEnd) and isinstance(event.job, RunJob):
            event.job.run = run
            event = replace(event, document=run.document)
        yield event


def _begun(run: StoredRun, access: Access, data: Any) -> Iterator[JobEvent]:
    spec, folder, start = run.spec, run.folder, None
    if spec.data.kind == "given":
        user_data(folder, spec.data, data)  # refuses others
    rows = all_rows_of(folder, data, access.data_file)
    net = access.net if isinstance(access.net, nn.Module) and spec.net not in LAYERS else None
    word = spec.resolved.net_file if net is None else None
    files = network_files(network_source(folder, access.net_file, access.trust), [word])
    typed = {name: value for name, value in spec.asked.items() if name != "net" or net is None}
    length = length_of(run, rows)
    settings = refit_settings(typed, spec.resolved, rows, **length, out=str(folder.within(REFIT)))
    if spec.weights is not None:
        start = Start(spec.weights, read_tensors(folder, START)[0], run.preparation)
    elif net is not None and settings.ensemble == 1:
        net = module_copy(net)
        put_state(net, read_tensors(folder, START)[0])
    lean = spec.data.kind == "memory" and not folder.has(COPY)
    more: dict[str, Any] = {"net": net, "networks": files, "start": start, "lean": lean, "data": rows}
    return train_events(rows, settings, like=spec.like, **more)
