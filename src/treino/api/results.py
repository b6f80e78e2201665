"""``Run``, ``Sweep`` and ``Study``: what a training left, with everything that can be done with it."""

from dataclasses import fields
from html import escape
from pathlib import Path
from typing import Any

from torch import nn

from treino.documents.listing import line_of
from treino.folders import Stored, open_all, open_folder, resume_events
from treino.loop.loop import drained_folder
from treino.pictures.curves import curves_of
from treino.pictures.illustration import illustrated
from treino.plots.notebook_cards import run_card, runs_table, study_card, sweep_card
from treino.records.access import Access
from treino.records.prediction import predict_like
from treino.records.stored_run import StoredRun
from treino.training.branch import branching, rewinding
from treino.training.commands import send_setting, send_stop
from treino.training.replay import Snapshot, snapshots
from treino.training.train import drain
from treino.tuning.populations import config_text
from treino.tuning.stored_study import StoredStudy
from treino.tuning.stored_sweep import StoredSweep
from treino.tuning.study_document import table_of


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
