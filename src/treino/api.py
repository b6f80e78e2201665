"""treino in Python: ``fit``, ``sweep`` and ``study``, ``open``, and the objects that they return."""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import fields
from html import escape
from pathlib import Path
from typing import Any

from torch import nn

from treino.data.torch_datasets.dataset_source import is_torch_dataset
from treino.documents.listing import line_of
from treino.engine import MLP
from treino.errors import TreinoError
from treino.fit_events import FitRequest, fit_events, settings_before_search
from treino.folders import Stored, open_all, open_folder, resume_events
from treino.loop import JobEvent, drained_folder
from treino.pictures.curves import curves_of
from treino.pictures.picture_files import illustrated
from treino.plots.notebook_cards import run_card, runs_table, study_card, sweep_card
from treino.records.access import Access
from treino.records.network_source import UserFiles
from treino.records.prediction import predict_like
from treino.records.stored_run import StoredRun
from treino.spec import refuse_layers
from treino.tracking.delivery import Tracking
from treino.training.branch import branching, rewinding
from treino.training.commands import send_setting, send_stop
from treino.training.replay import Snapshot, snapshots
from treino.training.train import drain
from treino.tuning.populations import config_text
from treino.tuning.stored_sweep import StoredStudy, StoredSweep
from treino.tuning.study import study_events
from treino.tuning.study_document import table_of
from treino.tuning.sweep import sweep_events
from treino.words import _

# ---- ``Run``, ``Sweep`` and ``Study``


class Run(StoredRun):
    """One training, as its folder holds it; see ``StoredRun`` for its figures, its network and its rows."""

    @classmethod
    def of(cls, run: StoredRun) -> "Run":
        """The same run with these verbs."""
        return cls(run.folder, run.access, run.rows, run.row)

    def predict(self, source: Any) -> Any:
        """Predictions for new rows. A frame gives a frame (with probabilities), arrays an array."""
        return predict_like(self, source)

    def resume(self, data: Any = None, *, net: nn.Module | str | None = None) -> "Run":
        """Go on with a run that was interrupted, as ``treino resume`` does, and return it when it is over.

        data: once more the Dataset or DataLoader, where it was trained on one. net: once more the network,
        where it was given in Python.

        Raises:
            TreinoError: there is nothing to resume; the data or the network is another one.
        """
        access = self.access.with_network(net)
        return Run.of(drain(resume_events(self.folder, access, data=data)))

    def at(self, step: int, data: Any = None) -> "Moment":
        """The run after ``step`` updates, played again bit for bit: weights, next batch, optimizer's state.

        data: once more the Dataset, where it was trained on one. Many steps at once:
        ``treino.training.replay.snapshots``.

        Raises:
            TreinoError: a step outside 0 and the run's last; rows that can't be had again.
        """
        snapshot = next(snapshots(self, [step], data))
        return Moment(**{field.name: getattr(snapshot, field.name) for field in fields(snapshot)})

    def rewind(self, step: int, **changes: Any) -> "Run":
        """Go back to a step of this run and on from there with other settings, in the same folder.

        What came after the step stays in an older segment: nothing is overwritten, and figures, curves and
        ``resume`` speak of the newest one. ``changes`` as in ``Moment.branch``.

        Raises:
            TreinoError: a setting that can't change on the way; a process is still training it.
        """
        return Run.of(drain(illustrated(rewinding(self.at(step), changes))))

    def set(self, name: str, value: Any, step: int | None = None) -> None:
        """Ask the process that trains this run to change a hyper-parameter from a step on.

        name, value: as for ``TrainingLoop.set``.

        Raises:
            TreinoError: an unknown name, a value out of range or that has no meaning for this network, or no
                process that trains.
        """
        send_setting(self, name, value, step)

    def stop(self) -> None:
        """Ask the process that trains this run to save and stop; ``resume`` goes on.

        Raises:
            TreinoError: no process trains it.
        """
        send_stop(self.folder)

    def _repr_html_(self) -> str:
        """A card for notebooks: figures, intervals, the loss, findings."""
        if not self.folder.has("spec.json"):
            return f"<code>{escape(repr(self))}</code>"
        findings = self.facts.findings
        return run_card(self.path, self.spec.data.name, self.status, self.result, findings, curves_of(self))


class Moment(Snapshot):
    """A run after some of its updates, from which another may branch off."""

    def branch(self, **changes: Any) -> Run:
        """A new run that goes on from here with other settings, e.g. ``lr=1e-3`` or ``epochs=50``.

        What may change: lr, weight_decay, momentum, betas, eps, clip, dropout, schedule, warmup, epochs,
        steps, patience, keep, batch_size, shuffle, seed, data_seed, optimizer, nesterov, loss,
        label_smoothing, fault, as_taught, hidden, activation; ``name`` and ``out`` say where the run goes.
        With another batch size or order a pass over the rows begins at once; another optimizer's state
        begins at zero. Weights are kept where they fit: wider and deeper networks compute at first what they
        computed, or nearly.

        Without changes it has the bits of the run that it left, but for commands that this one was given
        later. The new run names its parent, and holds the losses up to here, so that its curves begin at the
        beginning.

        Raises:
            TreinoError: a setting that can't change on the way; nothing is left to train.
        """
        return Run.of(drain(illustrated(branching(self, changes))))


class Sweep(StoredSweep):
    """Many networks trained together; see ``StoredSweep`` for their table and what the best is worth."""

    @property
    def best(self) -> Run:
        """The winner, trained alone: a run like any other. Of a sweep that broke off, the best so far.

        Raises:
            TreinoError: nothing is kept yet, or every member diverged.
        """
        return Run.of(super().best)

    def member(self, member: int) -> Run:
        """A network whose weights are kept, as a run that predicts.

        Raises:
            TreinoError: no such network, or its weights were not kept.
        """
        return Run.of(super().member(member))

    def predict(self, source: Any, top: int | None = None) -> Any:
        """Predictions for new rows: of the winner (or of the networks that were chosen to answer together,
        where ``ensemble`` asked for them), or of the best ``top``.

        Together they answer with the mean of their probabilities, or of their numbers. A frame gives a frame.

        Raises:
            TreinoError: rows that can't be prepared; more networks than were kept.
        """
        return predict_like(self.answer if top is None else self.together(top), source)

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
        """Go on with a sweep that broke off, or with ``more`` networks, and return it when it is over.

        more: also of a sweep that is over, which is then judged anew; the sampler goes on where it was. net,
        trust: as for ``Study.resume``. storage: Optuna's again, where it has one. on, gpus_per_chunk: the
        cluster that trains, as for ``treino.sweep``.

        Raises:
            TreinoError: there is nothing to resume; its data is gone or changed.
        """
        access = self.access.with_network(net, trust)
        stream = resume_events(
            self.folder, access, storage=storage, more=more, on=on, gpus_per_chunk=gpus_per_chunk
        )
        return Sweep(drained_folder(stream), self.access)

    def _repr_html_(self) -> str:
        """A card for notebooks: what the best is worth, and the leaders."""
        result = self.result
        written = [] if result is None else [config_text(leader.params) for leader in result.leaderboard]
        return sweep_card(self.path, self.status, result, written)


class Study(StoredStudy):
    """Settings compared and timed; see ``StoredStudy`` for its rows and what they say."""

    def resume(
        self,
        *,
        net: str | None = None,
        trust: bool = False,
        on: str | None = None,
        gpus_per_chunk: float | None = None,
    ) -> "Study":
        """Go on with a study that broke off, and return it when it is over.

        net, trust: where it trains networks of your own: your file in the place of theirs, or the copies that
        were sealed with the study. on, gpus_per_chunk: the cluster that trains, as for ``treino.study``.

        Raises:
            TreinoError: there is nothing to resume; its data is gone or changed.
        """
        access = self.access.with_network(net, trust)
        stream = resume_events(self.folder, access, on=on, gpus_per_chunk=gpus_per_chunk)
        return Study(drained_folder(stream), self.access)

    def _repr_html_(self) -> str:
        """A card for notebooks: the rows, and what they say."""
        result = self.result
        if result is None:
            return study_card(self.path, self.status, [], [], [])
        return study_card(self.path, self.status, *table_of(result), [*result.answers, *result.notes])


def result(stored: Stored) -> Run | Sweep | Study:
    """A stored run, sweep or study with its verbs."""
    if isinstance(stored, StoredSweep):
        return Sweep(stored.folder, stored.access)
    return Study(stored.folder, stored.access) if isinstance(stored, StoredStudy) else Run.of(stored)


def open_result(
    name: str | Path = "last",
    *,
    parent: str | Path = "runs",
    net: nn.Module | str | None = None,
    trust: bool = False,
    data: str | Path | None = None,
    verify: bool = True,
) -> Run | Sweep | Study:
    """The run, sweep or study of that name in ``parent``, or in that folder, or the newest one (``last``);
    or the network 17 of a sweep (``SWEEP:17``), where its weights are kept.

    net, trust: where it trained a network of your own: once more, or the copy that was sealed with the folder
    may run. data: where its file has moved. verify: compare every file with its SHA-256.

    Raises:
        TreinoError: no such run (with the nearest name), a damaged one (with the file), a newer format.
    """
    return result(open_folder(name, Access(net, trust, data), parent=parent, verify=verify))


class Runs(list[Run | Sweep | Study]):
    """A list of runs, sweeps and studies that a notebook shows as a table."""

    def _repr_html_(self) -> str:
        return runs_table([line_of(each.folder) for each in self])


def runs(parent: str | Path = "runs") -> Runs:
    """The runs, sweeps and studies in ``parent``, the newest first; damaged ones are left out (``treino
    runs`` lists them)."""
    return Runs(map(result, open_all(parent)))


# ---- ``open_studio``

HEIGHT = 820  # pixels
GRACE = 40.0  # seconds for what it trains to be saved


class StudioFrame:
    """A studio in a process of its own, which ends with this one. A notebook shows its page in a frame.

    address: for a browser on this machine.
    """

    def __init__(self, process: subprocess.Popen[str], address: str) -> None:
        self._process, self.address = process, address

    def close(self) -> None:
        """End the studio; a training that it began is saved. More than once does nothing."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(GRACE)
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _repr_html_(self) -> str:
        # a strict cookie goes into a frame of the same host only, and notebooks are at localhost
        page, plain = escape(self.address.replace("127.0.0.1", "localhost")), escape(self.address)
        text = escape(_("Open it in a tab of its own"))
        return (
            f'<iframe src="{page}" width="100%" height="{HEIGHT}" style="border:0"></iframe>'
            f'<p><a href="{plain}" target="_blank" rel="noopener">{text}</a></p>'
        )

    def __repr__(self) -> str:
        return f"StudioFrame({self.address.partition('?')[0]!r})"


def open_studio(shown: Any = None) -> StudioFrame:
    """Serve the studio's page of a run, sweep or study, and return it as a frame for a notebook.

    shown: a ``Run``, ``Sweep`` or ``Study``, its name or path, also one in progress, the name of data, or a
    script; None: all runs in ``./runs``.

    Raises:
        TreinoError: there is no such thing, with the rule that ``treino studio`` gives.
    """
    path = shown if shown is None or isinstance(shown, (str, Path)) else shown.path
    command = [sys.executable, "-m", "treino", "studio", *([] if path is None else [str(path)])]
    process = subprocess.Popen(
        [*command, "--notebook", "--no-browser", "--json", "--port", "0"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # interrupting a cell is no end of the studio
    )
    assert process.stdout is not None
    document = json.loads(process.stdout.readline() or "{}")
    if "studio" not in document:
        error = document.get("error", {"rule": "studio_process", "message": "", "hint": ""})
        StudioFrame(process, "").close()
        raise TreinoError(error["rule"], error["message"], error["hint"])
    return StudioFrame(process, document["studio"]["address"])


# ---- ``fit``

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


# ---- ``sweep`` and ``study``


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
    name: str | None = None,
    out: str | Path | None = None,
    watch: Callable[[JobEvent], None] | None = None,
    track: str | Sequence[str] | None = None,
    on: str | None = None,
    gpus_per_chunk: float | None = None,
    **settings: Any,
) -> Sweep:
    """Train many networks on ``data`` as one program, keep the best, and judge it.

    space: what is tried, as ``{"lr": "1e-4..1e-1:log", "hidden": [(16,), (64, 32)]}``, or in the command
    line's words, one or a list of them: ``"lr=1e-4..1e-1:log"``. members: how many (256). strategy: none,
    halving (default) or hyperband; ``eta``: one in so many goes on. sampler: grid, random, sobol (default) or
    tpe (Optuna's, with its ``storage``). max_time: seconds. until: enough, as ``("accuracy", 0.95)``. top:
    how many are kept (10). fresh: fresh seeds for the judge (16; 0 for none). watch: a function that is told
    each event; ``treino.sweep`` takes ``True`` too: a table that updates in place in a notebook, figures that
    move in a terminal. track: trackers that are told of it. on: the cluster that trains, ``"ray"`` or
    ``"ray://HOST:PORT"``, to the same bits; gpus_per_chunk: GPUs of each of its tasks. settings: what all
    members share, as for ``fit``.

    Raises:
        TreinoError: bad input. KeyboardInterrupt: after a Ctrl-C, when everything is saved.
    """
    tracking = Tracking(track)
    events = sweep_events(
        data,
        space,
        parent=parent,
        name=name,
        out=out,
        settings=settings,
        networks=UserFiles(),
        members=members,
        strategy=strategy,
        eta=eta,
        sampler=sampler,
        sampler_seed=sampler_seed,
        max_time=max_time,
        until=until,
        top=top,
        fresh=fresh,
        storage=storage,
        on=on,
        gpus_per_chunk=gpus_per_chunk,
    )
    result = Sweep(drained_folder(tracking.events(events), watch))
    tracking.warn()
    return result


def study(
    data: Any,
    net: MLP | str | None = None,
    *,
    batch_sizes: Sequence[int | str] | None = None,
    until: Any = None,
    cells: Sequence[Any] = (),
    compare: Sequence[str] | str = (),
    seeds: int | None = None,
    parent: str | Path = "runs",
    name: str | None = None,
    out: str | Path | None = None,
    on: str | None = None,
    gpus_per_chunk: float | None = None,
    **settings: Any,
) -> Study:
    """Train several settings in turns, epoch by epoch, and compare what they take and where they get.

    batch_sizes: as ``[100, 20, 5]``. until: figures to be reached, as ``"loss=1.6"`` (of the training rows,
    as the loop prints it), ``"accuracy=0.9"`` (of the validation rows) or ``{"loss": 1.6, "accuracy": 0.9}``;
    nothing ends there, the epochs to it are counted. cells: single rows, as
    ``{"batch_size": 5, "lr": 1e-6}``. compare: settings to set to all of their values, as ``"normalise"``.
    ``optimizer`` and ``shuffle`` may be several. seeds: networks of each row, with seeds from ``seed`` on.
    ``as_taught=True``: every row once more with both faults of the beginners' loop; ``fault=``: with one.
    on, gpus_per_chunk: the cluster that trains, as for ``sweep``, several at the same time.
    settings: what all rows share, as for ``fit``.

    Raises:
        TreinoError: bad input. KeyboardInterrupt: after a Ctrl-C, when everything is saved.
    """
    if isinstance(net, nn.Module):
        raise TreinoError(
            "study_module",
            _("A study makes its network anew for every row."),
            _("Give mlp(64, 32), or net='FILE.py:NAME'."),
        )
    if isinstance(net, MLP):
        settings |= {n: getattr(net, n) for n in ("hidden", "activation", "dropout", "batch_norm", "gates")}
    elif net is not None:
        settings["net"] = net
    events = study_events(
        data,
        settings=settings,
        networks=UserFiles(),
        parent=parent,
        name=name,
        out=out,
        on=on,
        gpus_per_chunk=gpus_per_chunk,
        batch_sizes=batch_sizes,
        until=until,
        cells=cells,
        compare=compare,
        seeds=seeds,
    )
    return Study(drained_folder(events))


# ---- treino in Python

__all__ = ["Moment", "Run", "Study", "Sweep", "fit", "open_result", "result", "runs", "study", "sweep"]
