"""The Python interface: ``fit``, ``sweep``, ``study`` and ``open``, and the objects that they return."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from torch import nn

from treino.base.apps import brought
from treino.base.errors import Refusal
from treino.base.own_objects import keep
from treino.data.source_kinds import is_torch_dataset
from treino.engine import Net
from treino.engine.nets import layers_of
from treino.fit_events import FitRequest, fit_events, settings_before_search
from treino.folders.access import Access
from treino.folders.documents.listing import checked, line
from treino.folders.documents.paired_runs import PairedRuns
from treino.folders.network_source import NetworkSource, UserFiles
from treino.folders.prediction import drift_of, predict_like
from treino.folders.store.run_lookup import summary_of
from treino.folders.stored_run import StoredRun
from treino.inspection.drift import Drift
from treino.plots.notebook_cards import run_card, runs_table, study_card, sweep_card
from treino.reports.paired_runs import paired_runs
from treino.reports.tracking import tracking_of
from treino.results import resume_events
from treino.settings.keywords import takes_settings
from treino.settings.options import ClusterOptions, StudyOptions, SweepOptions, read_options
from treino.settings.spec import Settings, refuse_layers
from treino.training.commands import send_settings, send_stop
from treino.training.loop import JobEvent, drained_folder
from treino.training.refit import continued
from treino.training.replay import Snapshot, snapshots
from treino.training.stored_results import Stored, StoredStudy, StoredSweep, open_all, open_folder
from treino.training.sweeps.member import SweepNetwork
from treino.training.sweeps.member import likeness as likeness_of
from treino.training.sweeps.request import StudyRequest, SweepRequest
from treino.training.sweeps.study import study_events
from treino.training.sweeps.sweep import sweep_events
from treino.training.train import drain
from treino.training.verification import verify
from treino_doctor.base.markup import tag

if TYPE_CHECKING:  # what may change on the way of a run, with its types
    from treino import _Changes, _ChangesOfBranch, _RowXray

STUDY_MODULE = Refusal(
    "A study makes its network anew for every row.", "Give mlp(64, 32), cnn(16, 32), or net='FILE.py:NAME'."
)
EPOCHS_TWICE = Refusal("{a} and {b} are the same setting.", "Give one.")

# ---- ``Run``, ``Sweep`` and ``Study``


class Shown:
    """Base class of objects that the studio can show."""

    def studio(self) -> Any:
        """The studio's page of this run, sweep or study: in a notebook's cell, elsewhere in a browser."""
        return brought("treino.names", "studio")(self)


class Run(StoredRun, Shown):
    """A training stored in a folder; see ``StoredRun`` for its metrics, network and rows."""

    @classmethod
    def of(cls, run: StoredRun) -> "Run":
        """The same run with the methods of this class."""
        if isinstance(run, SweepNetwork):
            return SweepRun(run.folder, run.access, run.data, run.kept, run.asked)
        return cls(run.folder, run.access, run.known_rows)

    def predict(
        self, source: Any, *, coverage: float | None = None, tta: bool = False, skip_bad: int = 0
    ) -> Any:
        """Predict new rows. A frame gives a frame (with probabilities), arrays and pictures give an array.

        source: rows with the columns that the run was trained on; for a run on pictures, also a folder,
        a file, a Pillow image, or a list of these. coverage: the share of new rows whose true value lies
        between ``low`` and ``high``, or is in ``set``; default: as the run was trained. tta: average over
        shifted views of each picture. skip_bad: the largest number of unreadable pictures to skip.
        """
        return predict_like(self, source, coverage=coverage, tta=tta, skip_bad=skip_bad)

    def drift(self, source: Any) -> Drift:
        """Compare the columns of other rows, such as next month's, with those of the training rows, as
        ``treino data --like`` does: which moved by more than chance, and what lies outside.

        Raises:
            TreinoError: the source can't be read; the run learnt from pictures or arrays.
        """
        return drift_of(self, source)

    def compare(self, other: StoredRun, on: Any) -> PairedRuns:
        """Judge this run and another one on the same rows, as ``treino compare`` does: the difference of each
        figure with its interval, which run is better, and which answers changed.

        Raises:
            TreinoError: other targets or classes; rows without known targets.
        """
        return paired_runs(self, other, on)

    def rows(self, *, networks: int | None = None) -> "_RowXray":
        """Check each row with hundreds of small networks, each trained on a random half of the training
        rows: which labels they doubt, and which rows no network learns. See ``treino rows``. networks: how
        many; default: 256.

        Raises:
            TreinoError: too few rows, a single class, several targets; rows that can't be loaded again.
        """
        xrayed: _RowXray = brought("treino.functions", "xray")(self.data, networks=networks)
        return xrayed

    def resume(
        self,
        data: Any = None,
        *,
        net: nn.Module | str | None = None,
        alerts: str | Sequence[str] | None = None,
        allow_network: bool = False,
    ) -> "Run":
        """Continue an interrupted run to its end, as ``treino resume`` does, and return it.

        data: the Dataset or DataLoader, if the run was trained on one. net: the network, if it was given in
        Python. alerts, allow_network: as in ``treino.fit``; alerts of earlier trainings have ended.

        Raises:
            TreinoError: there is nothing to resume; the data or the network differs from the run's.
        """
        access = self.access.with_network(net)
        events = resume_events(self.folder, access, data=data, alerts=alerts, allow_network=allow_network)
        return Run.of(drain(events))

    def at(self, step: int, data: Any = None) -> "RunSnapshot":
        """The run after ``step`` updates, recomputed bit for bit: weights, next batch, optimizer state.

        data: the Dataset, if the run was trained on one. For many steps at once use
        ``treino.training.replay.snapshots``.

        Raises:
            TreinoError: a step not from 0 to the run's last; rows that can't be loaded again.
        """
        snapshot = next(snapshots(self, [step], data))
        return RunSnapshot(**{field.name: getattr(snapshot, field.name) for field in fields(snapshot)})

    def verify(self, data: Any = None, *, engine: str | None = None) -> dict[str, Any]:
        """Train the run again, and return a document that says what is equal, as ``treino verify`` does.

        data: the Dataset, if the run was trained on one. engine: another kernel.

        Raises:
            TreinoError: the run is training, or took no step; its rows or its network are missing.
        """
        return verify(self, data, engine=engine).to_json()

    def rewind(
        self,
        step: int,
        *,
        alerts: str | Sequence[str] | None = None,
        allow_network: bool = False,
        **changes: "Unpack[_Changes]",
    ) -> "Run":
        """Go back to a step of this run, and train on from there with other settings, in the same folder.

        Nothing is overwritten: the steps after ``step`` stay in an older segment; metrics, curves and
        ``resume`` refer to the newest segment. changes: as in ``RunSnapshot.branch``. alerts,
        allow_network: as in ``resume``.

        Raises:
            TreinoError: a setting that can't change during training; a process is still training the run.
        """
        asked: dict[str, Any] = {"alerts": alerts, "allow_network": allow_network}
        return Run.of(drain(continued(self.at(step), changes, in_place=True, **asked)))

    def set(self, name: str, value: Any, step: int | None = None) -> None:
        """Ask the process that trains this run to change a hyper-parameter from a step on.

        name, value: as in ``TrainingLoop.set``.

        Raises:
            TreinoError: an unknown name, a value out of range or without effect in this network, or no
                process trains the run.
        """
        send_settings(self, {name: value}, step)

    def stop(self) -> None:
        """Ask the process that trains this run to save and stop; ``resume`` continues it.

        Raises:
            TreinoError: no process trains the run.
        """
        send_stop(self.folder)

    def _repr_html_(self) -> str:
        """A card for notebooks: metrics, intervals, the loss, findings."""
        if not self.folder.has("spec.json"):
            return tag("code", repr(self))
        return run_card(self)


class SweepRun(SweepNetwork, Run):
    """One network of a sweep; see ``Run``."""


class RunSnapshot(Snapshot):
    """The state of a run after some of its updates, from which a new run may branch off."""

    def branch(
        self,
        *,
        alerts: str | Sequence[str] | None = None,
        allow_network: bool = False,
        **changes: "Unpack[_ChangesOfBranch]",
    ) -> Run:
        """Train a new run from here on with other settings, e.g. ``lr=1e-3`` or ``epochs=50``.

        What may change: lr, weight_decay, momentum, betas, eps, clip, dropout, schedule, warmup, epochs,
        steps, patience, keep, batch_size, shuffle, seed, data_seed, optimizer, nesterov, loss,
        label_smoothing, fault, as_taught, hidden, activation; ``name`` and ``out`` set the new run's folder.
        Another batch size or row order starts a new pass over the rows; another optimizer starts from zero
        state. Weights that fit carry over: a wider or deeper network first computes what the old one did, or
        nearly. alerts, allow_network: as in ``treino.fit``.

        Without changes, the new run is bitwise equal to this one, except for commands sent to this run later.
        The new run names its parent and contains the losses up to here, so that its curves start at step 0.

        Raises:
            TreinoError: a setting that can't change during training; nothing is left to train.
        """
        asked: dict[str, Any] = {"alerts": alerts, "allow_network": allow_network}
        return Run.of(drain(continued(self, changes, in_place=False, **asked)))


class Sweep(StoredSweep, Shown):
    """Many networks trained together; see ``StoredSweep`` for their table and the judgement of the best."""

    @property
    def best(self) -> Run:
        """The winner, trained alone as a run of its own; for an interrupted sweep, the best network so far.

        Raises:
            TreinoError: no weights are kept yet, or every member diverged.
        """
        return Run.of(super().best)

    def member(self, member: int) -> Run:
        """A network whose weights are kept, as a run for predictions.

        Raises:
            TreinoError: no such network, or its weights were not kept.
        """
        return Run.of(super().member(member))

    def predict(
        self,
        source: Any,
        top: int | None = None,
        *,
        coverage: float | None = None,
        tta: bool = False,
        skip_bad: int = 0,
    ) -> Any:
        """Predict new rows with the winner (the ensemble, if the sweep was given ``ensemble``), or with the
        mean of the best ``top`` networks.

        Several networks predict the mean of their probabilities, or of their numbers. A frame gives a frame.
        coverage, tta, skip_bad: as in ``Run.predict``.

        Raises:
            TreinoError: rows that can't be prepared; ``top`` above the number of kept networks.
        """
        answer = self.answer if top is None else self.together(top)
        return predict_like(answer, source, coverage=coverage, tta=tta, skip_bad=skip_bad)

    def resume(
        self,
        *,
        more: int | None = None,
        net: str | None = None,
        trust: bool = False,
        storage: str | None = None,
        on: str | None = None,
        gpus_per_chunk: float | None = None,
    ) -> "Sweep":
        """Continue an interrupted sweep to its end, or add networks, and return it.

        more: the number of networks to add, even to a finished sweep, which is then judged again; the sampler
        continues. net, trust: as in ``Study.resume``. storage: Optuna's storage, if the sweep has one. on,
        gpus_per_chunk: the cluster to train on, as in ``treino.sweep``.

        Raises:
            TreinoError: there is nothing to resume; its data is gone or changed.
        """
        access = self.access.with_network(net, trust)
        stream = resume_events(
            self.folder, access, storage=storage, more=more, place=_place(on, gpus_per_chunk)
        )
        return Sweep(drained_folder(stream), self.access)

    def _repr_html_(self) -> str:
        """A card for notebooks: the judgement of the best, and the leaderboard."""
        return sweep_card(self)


class Study(StoredStudy, Shown):
    """A timed comparison of settings; see ``StoredStudy`` for its rows and findings."""

    def resume(
        self,
        *,
        net: str | None = None,
        trust: bool = False,
        on: str | None = None,
        gpus_per_chunk: float | None = None,
    ) -> "Study":
        """Continue an interrupted study to its end, and return it.

        For networks of your own, net: your file, used instead of the study's copies; trust: True to run these
        copies. on, gpus_per_chunk: the cluster to train on, as in ``treino.study``.

        Raises:
            TreinoError: there is nothing to resume; its data is gone or changed.
        """
        access = self.access.with_network(net, trust)
        stream = resume_events(self.folder, access, place=_place(on, gpus_per_chunk))
        return Study(drained_folder(stream), self.access)

    def _repr_html_(self) -> str:
        """A card for notebooks: the rows and the findings."""
        return study_card(self)


def result(stored: Stored) -> Run | Sweep | Study:
    """A stored run, sweep or study as an object of this file's classes."""
    if isinstance(stored, StoredSweep):
        return Sweep(stored.folder, stored.access)
    return Study(stored.folder, stored.access) if isinstance(stored, StoredStudy) else Run.of(stored)


def open(
    name: str | Path = "last",
    *,
    parent: str | Path = "runs",
    net: nn.Module | Callable[..., nn.Module] | str | None = None,
    trust: bool = False,
    data: str | Path | None = None,
    own: Sequence[Any] = (),
    verify: bool = True,
) -> Run | Sweep | Study:
    """Open the run, sweep or study of this name in ``parent``, at this path, or the newest one (``last``); or
    network 17 of a sweep (``SWEEP:17``), if its weights are kept.

    For a network of your own, net: the network again, or its class; trust: True to run the folder's copy of
    its code. own: the losses, metrics, optimizers, schedules and networks' classes that were given in Python,
    again. data: the new path of a moved data file. verify: compare every file with its SHA-256.

    Raises:
        TreinoError: no such run (with the nearest name), a damaged run (with the file), a newer format.
    """
    for value in own:
        keep(value)
    return result(open_folder(name, Access(net, trust, data), parent=parent, verify=verify))


class Runs(list[Run | Sweep | Study]):
    """A list of runs, sweeps and studies that a notebook shows as a table."""

    def _repr_html_(self) -> str:
        return runs_table([line(checked(summary_of(each.path))) for each in self])


def runs(parent: str | Path = "runs") -> Runs:
    """The runs, sweeps and studies in ``parent``, newest first, except damaged ones (see ``treino runs``)."""
    return Runs(map(result, open_all(parent)))


# ---- ``fit``

COURSE = {"num_epochs": "epochs"}
NEEDLESS = {"num_workers", "num_classes"}


@takes_settings(Settings.model_fields)
def fit(
    data: Any,
    net: nn.Module | Callable[..., nn.Module] | Net | str | None = None,
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
    alerts: str | Sequence[str] | None = None,
    allow_network: bool = False,
    like: Run | str | Path | None = None,
    trust: bool = False,
    **settings: Any,
) -> Run | Sweep:
    """Train one network on ``data`` and return the Run, as ``treino train`` does.

    data: a built-in's name, a file, a pandas frame with ``target=``, a pair of arrays ``(X, y)``, where X may
        also be a dict or a tuple of arrays for ``forward``, your own Dataset or DataLoader, or the result of
        ``load``.
    net: ``mlp(64, 32)``, ``cnn(16, 32)`` for pictures, FILE.py:NAME, perhaps with arguments
        (``"mynet.py:Net(width=16)"``), or your own ``nn.Module``, its class or a function that makes it. It
        takes ``[B, *item_shape]`` float32, or the arrays of X, and returns ``[B, C]`` logits; see
        docs/arrays.md.
    lean: store no copy of rows in memory (such a run can't be resumed).
    seeds, folds: train with this many seeds, or on this many folds of a cross-validation, and return a Sweep
        whose ``figures`` are means and deviations; ``until``, e.g. ``("accuracy", 0.8)``, counts the steps to
        a target.
    watch: a function called with each event of the training. ``treino.fit`` also takes ``True``: a display
        updated in place in a notebook, a progress line in a terminal.
    track: one or several trackers to report to, such as ``"mlflow"``; see ``treino_trackers``.
    on, gpus_per_chunk: the cluster to train seeds or folds on, as in ``sweep``.
    alerts: actions on conditions, e.g. ``"validation loss rises for 5 epochs: lr*0.5"``; see docs/alerts.md.
        allow_network: whether they may send to an address.
    like: a run, or the name of one or of a sweep's network (``SWEEP:17``), with whose settings these other
        rows are trained on; those given here come first. trust: the copies of your own code that were sealed
        with it may run.
    settings: any of ``treino.settings.spec`` (``lr``, ``hidden``, ``epochs``, ...); ``validation`` and
        ``test`` may also be frames or pairs (X, y) of further rows. Names common in courses work too:
        ``num_epochs`` is ``epochs``; ``num_workers`` reads your own Dataset, and has no effect on rows in
        memory; ``num_classes`` is checked against the data. ``lr="auto"`` first tries many rates for a short
        time.

    Raises:
        TreinoError: bad input. KeyboardInterrupt: after a Ctrl-C, when the run is saved.
    """
    requested = _from_course(settings)
    if not isinstance(net, nn.Module) and (callable(net) or isinstance(net, str | Net)):
        requested, net = _with_net(requested, net), None
    held_back = {
        name: requested.pop(name) for name in ("validation", "test") if _is_rows(requested.get(name))
    }
    networks: NetworkSource = UserFiles()
    likeness = None if like is None else likeness_of(like, data, trust=trust, net=net is not None)
    if likeness is not None:
        networks = networks if "net" in requested else likeness.networks
        requested = likeness.with_settings(requested)
    workers = settings.get("num_workers", 0) if is_torch_dataset(data) else 0
    request = FitRequest(
        data, requested, networks, net, seeds=seeds, folds=folds, until=until, parent=parent, lean=lean,
        held_back=held_back, num_workers=workers, classes=settings.get("num_classes"),
        place=_place(on, gpus_per_chunk), alerts=alerts, allow_network=allow_network,
        like=None if likeness is None else likeness.run, likeness=likeness,
    )  # fmt: skip
    tracking = tracking_of(track)
    events, _rates = fit_events(request)
    events = events if tracking is None else tracking.events(events)
    repeated = request.repeated
    trained = Sweep(drained_folder(events, watch)) if repeated else Run.of(drain(events, watch))
    if tracking is not None:
        tracking.warn()
    return trained


def _place(on: str | None, gpus_per_chunk: float | None) -> ClusterOptions:
    """The cluster to train on."""
    return read_options(ClusterOptions, {"on": on, "gpus_per_chunk": gpus_per_chunk})


def _is_rows(value: Any) -> bool:
    """Whether the value of a split is rows in memory, not a share or a file."""
    return isinstance(value, tuple) or (hasattr(value, "shape") and getattr(value, "shape", ()) != ())


def _with_net(settings: dict[str, Any], net: Any) -> dict[str, Any]:
    """The settings with those that describe the network."""
    if isinstance(net, Net):
        refuse_layers(settings_before_search(settings))
        return {"recipe": "plain"} | settings | layers_of(net)
    return settings if net is None else settings | {"net": net}


def _from_course(settings: Mapping[str, Any]) -> dict[str, Any]:
    renamed = {}
    for name, value in settings.items():
        if name in NEEDLESS:
            continue
        ours = COURSE.get(name, name)
        if ours != name and ours in settings:
            raise EPOCHS_TWICE(a=name, b=ours)
        renamed[ours] = str(value) if ours == "device" else value
    return renamed


# ---- ``sweep`` and ``study``


@takes_settings(Settings.model_fields)
def sweep(
    data: Any,
    space: Mapping[str, Any] | Sequence[str],
    *,
    members: int | None = None,
    strategy: str | None = None,
    eta: int | None = None,
    sampler: str | None = None,
    sampler_seed: int | None = None,
    max_time: float | None = None,
    until: tuple[str, float] | str | None = None,
    top: int | None = None,
    fresh: int | None = None,
    storage: str | None = None,
    parent: str | Path = "runs",
    watch: Callable[[JobEvent], None] | None = None,
    track: str | Sequence[str] | None = None,
    on: str | None = None,
    gpus_per_chunk: float | None = None,
    **settings: Any,
) -> Sweep:
    """Train many networks on ``data`` side by side, keep the best, and judge the winner.

    space: the settings to try, e.g. ``{"lr": "1e-4..1e-1:log", "hidden": [(16,), (64, 32)]}``, or as on the
    command line, one text or a list: ``"lr=1e-4..1e-1:log"``; ``net.width`` is the argument ``width`` of a
    network of your own, whose class or function ``net`` is. members: number of networks (256). strategy:
    none, halving (default) or hyperband. eta: one in ``eta`` members continues to the next rung. sampler:
    grid, random, sobol (default) or tpe (Optuna's, with its ``storage``). max_time: seconds. until: a target
    that ends the sweep, e.g. ``("accuracy", 0.95)``. top: number of networks to keep (10). fresh: fresh seeds
    for the judge (16; 0 for none). watch: a function called with each event; ``treino.sweep`` also takes
    ``True``: a table updated in place in a notebook, a progress line in a terminal. track: trackers to report
    to. on: the cluster to train on, ``"ray"`` or ``"ray://HOST:PORT"``, with bitwise equal results.
    gpus_per_chunk: GPUs of each cluster task. settings: shared by all members, as in ``fit``, with ``net=``.

    Raises:
        TreinoError: bad input. KeyboardInterrupt: after a Ctrl-C, when everything is saved.
    """
    given = {option: value for option, value in locals().items() if option in SweepOptions.model_fields}
    tracking = tracking_of(track)
    settings = _with_net(settings, settings.pop("net", None))
    options, place = read_options(SweepOptions, given), _place(on, gpus_per_chunk)
    asked: dict[str, Any] = {"parent": parent, "place": place, "space": space, "options": options}
    request = SweepRequest(data, settings, UserFiles(), **asked)
    events = sweep_events(request)
    result = Sweep(drained_folder(events if tracking is None else tracking.events(events), watch))
    if tracking is not None:
        tracking.warn()
    return result


@takes_settings(Settings.model_fields)
def study(
    data: Any,
    net: Callable[..., nn.Module] | Net | str | None = None,
    *,
    batch_sizes: Sequence[int | str] | None = None,
    until: Any = None,
    cells: Sequence[Any] = (),
    compare: Sequence[str] | str = (),
    seeds: int | None = None,
    parent: str | Path = "runs",
    on: str | None = None,
    gpus_per_chunk: float | None = None,
    **settings: Any,
) -> Study:
    """Train several settings in turns, epoch by epoch, and compare their time and metrics.

    batch_sizes: e.g. ``[100, 20, 5]``. until: targets, e.g. ``"loss=1.6"`` (on training rows, as the loop
    prints it), ``"accuracy=0.9"`` (on validation rows) or ``{"loss": 1.6, "accuracy": 0.9}``; the study
    counts the epochs to a target and trains on. cells: single rows of settings, e.g. ``{"batch_size": 5,
    "lr": 1e-6}``. compare: settings to try with all their values, e.g. ``"normalise"``. ``optimizer`` and
    ``shuffle`` may have several values. seeds: networks per row, with seeds from ``seed`` on.
    ``as_taught=True``: every row once more with both faults of the beginners' loop; ``fault=``: with one
    fault. on, gpus_per_chunk: the cluster to train on, as in ``sweep``, several networks at a time. settings:
    shared by all rows, as in ``fit``.

    Raises:
        TreinoError: bad input. KeyboardInterrupt: after a Ctrl-C, when everything is saved.
    """
    given = {option: value for option, value in locals().items() if option in StudyOptions.model_fields}
    if isinstance(net, nn.Module):
        raise STUDY_MODULE()
    settings = _with_net(settings, net)
    options, place = read_options(StudyOptions, given), _place(on, gpus_per_chunk)
    request = StudyRequest(data, settings, UserFiles(), parent=parent, place=place, options=options)
    return Study(drained_folder(study_events(request)))


# ---- the Python interface

__all__ = [
    "Run",
    "RunSnapshot",
    "Study",
    "Sweep",
    "fit",
    "open",
    "result",
    "runs",
    "study",
    "sweep",
]
