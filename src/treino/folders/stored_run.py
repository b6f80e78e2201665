"""A stored run: the metrics, the network and the rows of one training, read from its folder."""

from collections.abc import Iterable, Mapping
from copy import copy
from dataclasses import replace
from functools import cached_property
from typing import Any, Self

import numpy as np
from torch import Tensor, nn

from treino.base.errors import Refusal, nearest
from treino.base.files import damaged
from treino.base.words import _, language, numeral
from treino.data.dataset import Data, in_memory
from treino.data.preparation.preparation import Preparation
from treino.engine import Loss
from treino.engine.arguments import with_arguments
from treino.engine.ensemble import Ensemble
from treino.engine.hyperparameters import whole
from treino.engine.losses import quantile_levels
from treino.engine.members import MEMBER_RANGE
from treino.engine.metrics import further_metric
from treino.engine.model import Limits
from treino.engine.nets import described, input_shape, picture_shape
from treino.engine.rng import fork_rng
from treino.engine.target_net import one_target
from treino.engine.templates import plain_module
from treino.engine.user_module import module_copy
from treino.folders.access import Access
from treino.folders.data_source import check_names, check_outputs, data_of
from treino.folders.documents.reading import (
    read_document,
    read_preparation,
    read_run_result,
    read_run_spec,
    read_tensors,
)
from treino.folders.documents.run_result import RunResult
from treino.folders.documents.run_spec import ResolvedSettings, RunFacts, RunSpec, initial_document
from treino.folders.network_source import run_network
from treino.folders.run_records import UNKNOWN, evaluations, histories, losses_of, member_evaluations
from treino.folders.store import Change, RunFolder
from treino.folders.store.manifest import Manifest
from treino.folders.store.new_names import command_word
from treino.folders.stored_folder import StoredFolder, as_typed, packages_text, typed_here
from treino.folders.timeline import Timeline, newest, path, segments_of
from treino.folders.weights import WEIGHTS, check_answers, check_layers, read_weights, with_weights
from treino.inspection.conformal import FoldScores
from treino.settings.network_settings import LAYERS

STUDY_IS_NO_RUN = Refusal(
    "{name} is a study: it keeps figures of several settings, and no network.",
    "See it with: treino show {name}; each of its rows says how to train it alone.",
)
TARGET_OF_RUN = Refusal("{run} has no target '{target}'.", "{hint}")
SEGMENT_UNKNOWN = Refusal("{run} has no segment {n}.", "Its segments are numbered from 0 to {last}.")
NO_WEIGHTS_YET = Refusal(
    "{run} is {status}: its weights are kept when it ends.", "Wait for it, or resume it: treino resume {run}"
)
MEMBER_NOT_KEPT = Refusal(
    "Network {n} of {run} is not one of those that answer, whose weights are kept.", "Those are: {numbers}."
)


REFIT = "refit"
"""The folder in a run's folder that holds its refit."""


class StoredRun(StoredFolder):
    """One training, read from disk; it may still be running.

    Nothing in the folder is executed: if the run trained a module of the user's own, its network needs
    ``net=``, or ``trust=True``, which runs the copy of its file that was sealed with the run.

    rows: the rows it was trained on, if already loaded. one: the number of the ensemble member that predicts
    alone; None: all. others: runs that predict with it, each with its own preparation; the prediction is
    their mean.
    fold_scores: the scores of rows outside the folds, if these are the folds' runs.
    whole: if this run stands for one of several targets, the run with all targets, and this target's number.
    latest: if it ends with an earlier segment, the run to its newest one.
    judged: if this is the refit of a run, that run, whose threshold and intervals are this one's too.
    """

    one: int | None = None
    others: tuple["StoredRun", ...] = ()
    fold_scores: FoldScores | None = None
    measured = True  # whether the result's figures are those of the network that predicts
    whole: tuple[Self, int] | None = None
    latest: Self | None = None
    judged: "StoredRun | None" = None
    refits = True  # whether its refit, if there is one, predicts
    _result_read: tuple[tuple[Manifest, str], RunResult] | None = None  # of which manifest and language

    def __init__(self, folder: RunFolder, access: Access | None = None, rows: Data | None = None) -> None:
        super().__init__(folder, access)
        self.known_rows = rows

    @property
    def name(self) -> str:
        return super().name if self.judged is None else self.judged.name

    @property
    def title(self) -> str:
        """The name for pictures, with the member's number if they show one member."""
        if self.whole is not None:
            return _("{run}, {target}").format(run=self.whole[0].title, target=self.resolved.target)
        if self.one is None:
            return self.name
        return _("{run}, network {n} of {members}").format(
            run=self.name, n=self.one, members=self.resolved.ensemble
        )

    @property
    def typed(self) -> str:
        """What to type for this run on a command line: its name if it is in ./runs, else its path."""
        return command_word(self.folder.path)

    def member(self, number: int | None = None) -> Self:
        """Return this run with one network of the ensemble, which predicts alone.

        number: counted from 0; default: the best. A run of one network is its own member.

        Raises:
            TreinoError: there is no such member.
        """
        members = self.resolved.ensemble
        number_of = whole("member", self._usual if number is None else number, 0, text="member")
        if number_of >= members:
            raise MEMBER_RANGE(member=number_of, n=members)
        if members == 1:
            return self
        if self.whole is not None:
            run, target = self.whole
            return run.member(number).by_target[target]
        return self._changed(one=number_of, measured=False)

    def up_to(self, segment: int) -> Self:
        """Return this run at the end of one of its segments: its path leads there, and it has no result.

        Raises:
            TreinoError: there is no such segment.
        """
        segments = segments_of(self.spec)
        if segment not in {each.number for each in segments}:
            raise SEGMENT_UNKNOWN(run=self.name, n=segment, last=segments[-1].number)
        numbers = {stretch.segment.number for stretch in path(self.spec, segment)}
        spec = self.spec.model_copy(update={"segments": tuple(s for s in segments if s.number in numbers)})
        return self._changed(spec=spec, latest=self)

    def _changed(self, **attributes: Any) -> Self:
        """Return a copy with other attributes, without what was made for the old ones. measured: False if the
        result was measured with another network."""
        run = copy(self)
        run.known_rows = vars(self).get("data", self.known_rows)
        for made in ("module", "data", "by_target", "resolved", "asked_settings"):
            vars(run).pop(made, None)
        vars(run).update(attributes)
        return run

    @cached_property
    def by_target(self) -> tuple[Self, ...]:
        """A run for each target, with its outputs, classes and figures; for one target, the run itself."""
        each = self.preparation.by_target
        return (self,) if len(each) == 1 else tuple(map(self._one_target, range(len(each))))

    def of_target(self, name: str | None = None) -> Self:
        """Return the run of one of the targets; default: the first.

        Raises:
            TreinoError: there is no such target.
        """
        runs = {run.preparation.target: run for run in self.by_target}
        if name is not None and name not in runs:
            raise TARGET_OF_RUN(run=self.name, target=name, hint=nearest(name, runs))
        return runs[name] if name is not None else self.by_target[0]

    @property
    def all_targets(self) -> Self:
        """The run with all its targets."""
        return self if self.whole is None else self.whole[0]

    def alone(self, net: nn.Module) -> nn.Module:
        """A network of the run's training, with the outputs of this run's targets."""
        if self.whole is None:
            return net
        run, number = self.whole
        return one_target(net, run.preparation.output_parts[number], number)

    def _one_target(self, number: int) -> Self:
        one = self.preparation.by_target[number]
        facts = {"classes": one.classes, "target_mean": one.target_mean, "target_scale": one.target_scale}
        resolved = self.spec.resolved.model_copy(update={"target": one.target})
        outputs = len(one.classes) or 1
        spec = self.spec.model_copy(update=facts | {"resolved": resolved, "outputs": outputs})
        return self._changed(whole=(self, number), preparation=one, spec=spec)

    @property
    def _usual(self) -> int:
        """The default member: the best one; while the run trains, the first."""
        return next(iter(self.answering), 0) if self.one is None else self.one

    @property
    def answering(self) -> tuple[int, ...]:
        """The numbers of the networks that predict, the best first; () while the run trains."""
        return () if self.result is None else tuple(self.result.answering)

    @property
    def refit(self) -> "StoredRun | None":
        """The run inside this one that was trained on all rows, with the same settings, when this one had
        been judged: it predicts. None: there is none, or it isn't complete."""
        if self.refit_state != "finished":
            return None
        own = self.spec.net not in LAYERS  # else a network at hand would be of other inputs
        access = self.access if own else replace(self.access, net=None)
        run = StoredRun(RunFolder.open(self.folder.within(REFIT)), access)
        run.judged = self
        return run

    @property
    def refit_state(self) -> str:
        """The status of the refit that was asked for: ``missing`` before its first step, ``changed`` if
        settings changed in this run's training; "": none is due, or another network predicts."""
        alone = self.whole is None and self.one is None and self.latest is None and not self.others
        due = alone and self.measured and self.refits and self.status == "finished"
        if not due or not self.resolved.refit:
            return ""
        if any(change.settings for change in self.changes):
            return "changed"  # a way without changes leads to the same judged network, and so to this refit
        inner = self.folder.within(REFIT)
        return RunFolder.open(inner, verify=False).status if (inner / "spec.json").is_file() else "missing"

    @property
    def awaits_refit(self) -> bool:
        """Whether it has ended, and its refit, which was asked for, has not."""
        return self.refit_state not in ("", "changed", "running", "finished", "diverged")

    @property
    def refit_note(self) -> str:
        """A sentence on who predicts, if a refit was asked for; else ""."""
        if (refit := self.refit) is not None:
            sentence = _(
                "Its refit predicts: the same settings, trained on all {n:,} rows (epochs: {epochs}). "
                "The figures of the training and the widths of intervals are measured on the judged network, "
                "which did not train on the rows held back."
            )
            return sentence.format(n=refit.facts.rows["train"], epochs=refit.document["epochs"])
        if self.awaits_refit:
            sentence = _("Its refit is not complete, and the judged network predicts: treino resume {run}")
            return sentence.format(run=self.typed)
        running = _("Its refit is in training: until it ends, the judged network predicts.")
        changed = _("It has no refit, as settings changed on its way: the judged network predicts.")
        diverged = _("Its refit diverged: the judged network predicts.")
        return {"running": running, "changed": changed, "diverged": diverged}.get(self.refit_state, "")

    @property
    def trusted(self) -> "StoredRun":
        """The run whose held-back rows tell how far to trust it: itself; of a refit, the judged run."""
        if self.judged is None:
            return self
        return self.judged if self.whole is None else self.judged.by_target[self.whole[1]]

    def as_judged(self) -> Self:
        """Return this run without its refit: the network that the figures are of predicts."""
        return self._changed(refits=False)

    def with_others(self, others: Iterable["StoredRun"], scores: FoldScores | None = None) -> Self:
        """Return this run, predicting together with ``others``. scores: for rows outside their folds."""
        return self._changed(others=tuple(others), fold_scores=scores)

    def answered_by(self, net: nn.Module) -> Self:
        """Return this run with ``net`` in place of the kept network."""
        if self.whole is not None:
            run, number = self.whole
            return run.answered_by(net).by_target[number]
        return self._changed(module=net, measured=False)

    @cached_property
    def spec(self) -> RunSpec:
        """What ``spec.json`` holds: the settings that it began with, the data's name, the versions."""
        spec = read_run_spec(self.folder)
        check_names(spec.resolved.model_dump(), packages_text(spec.versions))
        check_outputs(spec)
        return spec

    @property
    def timeline(self) -> Timeline:
        """What was set from which step on."""
        return Timeline(self.folder, self.spec)

    @cached_property
    def resolved(self) -> ResolvedSettings:
        """All settings after the last step."""
        resolved = self.timeline.resolved
        check_names(resolved.model_dump(), packages_text(self.spec.versions))
        return resolved

    @cached_property
    def asked_settings(self) -> dict[str, Any]:
        """The settings that were typed, for the newest segment."""
        return self.timeline.typed

    @property
    def settings(self) -> dict[str, Any]:
        """Every setting with its value after the last step."""
        return self.resolved.model_dump(mode="json")

    @property
    def first_settings(self) -> dict[str, Any]:
        """Every setting with its value at the first step of the newest segment."""
        return self.timeline.settings_at(newest(self.spec).start)

    @property
    def dropout(self) -> float:
        """The rate of its dropout layers, even where it was set to 0 while they stayed; 0: it has none."""
        return (
            self.resolved.dropout or self.spec.resolved.dropout or self.asked_settings.get("dropout") or 0.0
        )

    @property
    def command(self) -> str:
        """The command that made the newest segment, as it is typed in the working directory."""
        return typed_here(self.spec.command, self.spec, self.path)

    @property
    def first_command(self) -> str:
        """The command that began the run, if no other run's steps are part of it."""
        if self.spec.parent is not None or not self.spec.segments:
            return self.command
        began = as_typed(self.spec.data.source, self.spec.asked, self.spec.weights)
        return typed_here(began, self.spec, self.path)

    @property
    def document(self) -> dict[str, Any]:
        """The ``train`` document: all results of the run, or those so far."""
        if self.whole is not None:
            every, own = self.whole[0].document, self.preparation
            of_target = every.get("targets", {}).get(own.target, {})
            facts = {"target": own.target, "classes": list(own.classes)}
            return {**{k: v for k, v in every.items() if k != "targets"}, **facts, **of_target}
        head: dict[str, Any] = {"run": self.name, "path": str(self.path), "status": self.status}
        if self.folder.has("spec.json"):
            head["changes"] = [change._asdict() for change in self.changes]
        if self.folder.manifest.sealed:
            head |= {k: v for k, v in read_document(self.folder, "result.json").items() if k not in head}
            inner = None if self.refit is None else str(self.refit.path)
            return head | ({"refit": {"path": inner, "note": self.refit_note}} if self.refit_state else {})
        if not self.folder.has("spec.json"):
            return head
        so_far = {"steps": len(self.losses)} | histories(self.folder, self.spec)
        known = initial_document(read_document(self.folder, "spec.json"), self.settings)
        return {**head, **known, **UNKNOWN, "waited": None, **so_far}

    @property
    def result(self) -> RunResult | None:
        """The results of the run; None before it has ended."""
        manifest = self.folder.manifest
        if self.latest is not None or not manifest.sealed:  # one of an earlier stop may exist
            return None
        content = manifest, language()
        if self._result_read is None or self._result_read[0] != content:
            self._result_read = content, read_run_result(self.folder)
        result = self._result_read[1]
        if self.whole is None:
            return result
        return result.of_target(self.preparation.target, self.preparation.classes)

    @property
    def facts(self) -> RunFacts:
        """The facts known from the first step on: rows, network, findings; after the end, the result."""
        return self.result or self.spec.facts

    @property
    def steps(self) -> int:
        """Updates done; for a diverged run, only updates with finite weights."""
        result = self.result
        return len(self.losses) if result is None else result.steps

    @property
    def changes(self) -> list[Change]:
        """Settings that were changed during the training, by whom and from which step on."""
        return self.timeline.changes()

    @property
    def metrics(self) -> dict[str, dict[str, float] | None]:
        """``{split: {metric: value}}`` of the kept weights; test is None before the run has ended."""
        return dict(self.document["metrics"])

    @property
    def losses(self) -> np.ndarray:
        """``[S]`` float32: the training loss of every step on the path to the newest weights."""
        return losses_of(self.folder, self.spec)

    @property
    def evaluations(self) -> dict[str, dict[str, list[float | None]]]:
        """``{split: {metric: [value of epoch 1, 2, ...]}}``; None for an epoch that was not evaluated."""
        values = evaluations(self.folder, self.spec, int(self.document["epochs"]))
        values.pop("train", None)  # its only values are seconds
        return values

    @property
    def member_evaluations(self) -> dict[str, dict[str, list[list[float | None]]]]:
        """``{split: {metric: [for each member [value of epoch 1, 2, ...]]}}`` of an ensemble's networks."""
        if self.resolved.ensemble == 1:
            return {}
        return member_evaluations(self.folder, self.spec, int(self.document["epochs"]))

    @cached_property
    def preparation(self) -> Preparation:
        preparation = Preparation.from_document(read_preparation(self.folder))
        if (preparation.size, tuple(preparation.classes)) != (self.spec.inputs, self.spec.classes):
            raise damaged(
                self.path / "preparation.json", _("its inputs or classes are not those of spec.json")
            )
        return preparation

    @property
    def loss_function(self) -> Loss:
        """The training loss, with its settings."""
        if self.whole is not None:
            run, _number = self.whole
            return run.loss_function.single
        s = self.resolved
        faulty = "softmax_before_cross_entropy" in s.fault
        each = tuple(len(t.classes) for t in self.preparation.targets if t.classes)
        further, axes = further_metric(s.metric), self.preparation.target_shape
        weights, levels = s.class_weights or None, quantile_levels(s, s.loss)
        size = s.batch_size if isinstance(s.batch_size, int) else None
        return Loss(s.loss, s.label_smoothing, weights, faulty, each, s.task, further, axes, levels, size)

    @cached_property
    def data(self) -> Data:
        """The rows that the run was trained on, in the same splits; only a sample of a DataLoader or Dataset
        that isn't in memory."""
        if self.whole is not None:
            run, number = self.whole
            return run.data.by_target[number]
        data = self.known_rows
        if data is None:
            data = in_memory(data_of(self.folder, self.access.data_file))
        return data if data.threshold == self.threshold else replace(data, threshold=self.threshold)

    @property
    def threshold(self) -> float | None:
        """The probability from which on the network predicts the second of two classes; None: it predicts
        the most probable class."""
        result = self.trusted.result if self.measured else None  # read once: it may be resumed meanwhile
        return None if result is None or result.threshold is None else result.threshold.value

    @property
    def item_shape(self) -> tuple[int, ...] | None:
        """The shape of one input item; None if the network takes flat rows."""
        if self.spec.net == "mlp":
            return None
        return picture_shape(self.spec.item_shape) if self.spec.net == "cnn" else self.spec.item_shape

    @property
    def tensors(self) -> Mapping[str, Tensor]:
        """The kept weights under their ``state_dict`` names."""
        return read_tensors(self.folder, WEIGHTS)[0]

    @property
    def state(self) -> Mapping[str, Tensor]:
        """The kept weights, and the buffers that ``state_dict`` leaves out."""
        return self._weights()[0]

    @cached_property
    def module(self) -> nn.Module:
        """The kept network as a plain ``nn.Module`` in eval mode.

        It takes prepared rows ``[B, D]`` float32 and returns logits ``[B, C]`` (or standardised values
        ``[B, 1]``); ``predict`` prepares for you.

        Raises:
            TreinoError: the run has no weights yet; it trained a network of the user's own, and neither
                ``net`` nor ``trust`` was given; no copy of that network was sealed with the run; the network
                has other tensors, or gives other outputs; the weights of this member of an ensemble are not
                kept.
        """
        if self.whole is not None:
            return self.alone(self.whole[0].module)
        if self.one is not None:
            every, answering = self._changed(one=None).module, self.answering
            if self.one not in answering:
                raise MEMBER_NOT_KEPT(n=self.one, run=self.name, numbers=", ".join(map(str, answering)))
            assert isinstance(every, Ensemble)
            return every.members[answering.index(self.one)]
        tensors, answers = self._weights()
        with fork_rng():  # the initial weights of a network are drawn, and exchanged
            bare = self._network()
        net = with_weights(bare, tensors, self.name)
        if self.item_shape is not None:
            check_answers(net, self.item_shape, answers, self.name)
        return net

    def _weights(self) -> tuple[Mapping[str, Tensor], list[list[float]] | None]:
        """The kept weights with all buffers, and what ``check_answers`` compares with."""
        if not self.folder.manifest.sealed:
            raise NO_WEIGHTS_YET(run=self.name, status=_(self.status))
        return read_weights(self.folder)

    def _network(self) -> nn.Module:
        """The network, or the predicting ensemble, without the kept weights."""
        s = self.resolved
        members = len(self.answering) or 1
        one = self._one_network(members)
        if s.ensemble == 1:
            return one
        nets = [one, *(module_copy(one) for _member in range(members - 1))]
        limits: Limits | None = None  # their values are loaded with the weights
        if s.clip_target and not self.spec.classes and not self.loss_function.link.joint:
            of_each = (0.0,) * self.spec.outputs
            limits = (0.0, 0.0) if self.spec.outputs == 1 else (of_each, of_each)
        return Ensemble(nets, self.loss_function, limits)

    def _one_network(self, members: int) -> nn.Module:
        """The network, or one of ``members`` networks of the ensemble.

        Raises:
            TreinoError: the network is the user's own, and its code may not run.
        """
        spec, s = self.spec, self.resolved
        if isinstance(self.access.net, nn.Module):
            return with_arguments(plain_module(module_copy(self.access.net)), self.preparation.arrays)
        own = run_network(self.folder, spec.net, s.net, self.access, s.seed)
        if own is not None:
            return with_arguments(plain_module(own), self.preparation.arrays)
        assert s.hidden is not None  # always set for treino's own layers
        layers = described(s, s.hidden, self.dropout)  # these layers count in the weights' names
        shape = input_shape(layers, spec.item_shape)
        wanted = layers.parameter_shapes(shape, spec.outputs)
        kept = (tensor.shape for name, tensor in self.tensors.items() if name != "limits")
        check_layers(wanted, kept, self.name, members)
        made: nn.Module = layers.module(shape, spec.outputs)
        return made

    def __repr__(self) -> str:
        result = self.result
        test = (result and result.metrics.test) or {}
        figures = ", ".join(f"{k} {'–' if v is None else numeral(v, '.3f')}" for k, v in test.items())
        shown = f", test {figures}" if figures else ""
        return f"{type(self).__name__}({str(self.path)!r}, {self.status}{shown})"
