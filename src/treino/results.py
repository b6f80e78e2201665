"""Resumes runs, sweeps and studies, by kind of folder, and goes on from a step of a run."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from treino.base.errors import Refusal
from treino.base.log import LOG
from treino.folders.access import Access
from treino.folders.documents.reading import read_run_spec
from treino.folders.store import RunFolder
from treino.folders.stored_run import StoredRun
from treino.folders.timeline import Timeline
from treino.settings.options import HERE, ClusterOptions
from treino.settings.spec import Settings
from treino.training.alert_actions import check_alerts, given_alerts
from treino.training.branch import parse_step
from treino.training.loop import JobEvent, JobStart
from treino.training.refit import continued, refit_events, watched
from treino.training.replay import snapshots
from treino.training.stored_results import open_run
from treino.training.sweeps.study import study_resumption
from treino.training.sweeps.sweep import sweep_resumption
from treino.training.train import resuming

STORAGE_OF_NO_SWEEP = Refusal(
    "{run} is no sweep, and trials of Optuna's are of sweeps.", "Leave [[storage]] out."
)
MORE_OF_NO_SWEEP = Refusal(
    "{run} is no sweep, and only to a sweep networks can be added.", "Leave [[more]] out."
)
ON_OF_A_RUN = Refusal("{run} is a single network, and a cluster trains several.", "Leave [[on]] out.")
ALERT_OF_SEVERAL = Refusal("[[alert]] watches one network, and {run} has several.", "Leave [[alert]] out.")


def resume_events(
    folder: RunFolder,
    access: Access,
    *,
    data: Any = None,
    storage: str | None = None,
    more: int | None = None,
    place: ClusterOptions = HERE,
    alerts: str | Sequence[str] | None = None,
    allow_network: bool = False,
) -> Iterator[JobEvent]:
    """Resume an interrupted run, sweep or study from its last checkpoint.

    data: the Dataset or DataLoader, if the run was trained on one. storage: Optuna's, if the sweep has one.
    more: the number of networks to add to a sweep, even to a finished one. place: the cluster
    that trains a sweep or study. alerts: for a run; they may send to an address if allow_network.

    Raises:
        TreinoError: nothing to resume; missing or changed data; a damaged folder; no permission to run the
            network's code.
    """
    path = folder.path
    if storage is not None and folder.kind != "sweep":
        raise STORAGE_OF_NO_SWEEP(run=path.name)
    if more is not None and folder.kind != "sweep":
        raise MORE_OF_NO_SWEEP(run=path.name)
    if folder.kind == "run" and place.on is not None:
        raise ON_OF_A_RUN(run=path.name)
    if alerts and folder.kind != "run":
        raise ALERT_OF_SEVERAL(run=path.name)
    if folder.kind == "sweep":
        events = sweep_resumption(path, access, storage=storage, more=more, place=place)
    elif folder.kind == "study":
        events = study_resumption(path, access, place=place)
    elif folder.has("spec.json") and (run := StoredRun(folder, access)).awaits_refit:
        events = refit_events(run, access, data)
    else:
        metric = Timeline(folder, read_run_spec(folder)).resolved.metric if alerts else None
        given = given_alerts(alerts, network=allow_network, metric=metric)
        resumed = resuming(path, access, data=data, check=partial(check_alerts, given))
        events = watched(resumed, access, data, given)
    for event in events:
        if isinstance(event, JobStart):
            LOG.info("%s: resumed", event.job.folder.path)
        yield event


def branch_events(
    place: str,
    access: Access,
    changes: Settings,
    *,
    in_place: bool,
    sender: str = "",
    alerts: str | Sequence[str] | None = None,
    allow_network: bool = False,
) -> Iterator[JobEvent]:
    """Continue a run from a step with other settings, as a new run or as the next segment in the run's
    folder.

    place: ``RUN:STEP``. changes: the changed settings. in_place: whether to use the run's own folder.
    sender: who asks for it, as for ``branching``. alerts, allow_network: as in ``resume_events``.

    Raises:
        TreinoError: no such run or step; a setting that can't change during training.
    """
    name, step = parse_step(place)
    changed = {name: getattr(changes, name) for name in changes.model_fields_set - {"net"}}
    asked: dict[str, Any] = {"sender": sender, "alerts": alerts, "allow_network": allow_network}
    return continued(next(snapshots(open_run(name, access), [step])), changed, in_place=in_place, **asked)
