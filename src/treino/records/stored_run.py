"""A stored run: the figures, the network and the rows of one training, as its folder holds them."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol, Self

import numpy as np
from torch import Tensor, nn

from treino.data.dataset import Data
from treino.data.preparation.preparation import Preparation
from treino.documents.run_facts import RunFacts
from treino.documents.run_result import RunResult
from treino.documents.run_spec import RunSpec
from treino.engine import Loss
from treino.engine.ensemble import Ensemble
from treino.engine.value_checks import whole
from treino.errors import TreinoError
from treino.records.access import Access
from treino.records.histories import member_evaluations
from treino.records.kept_layers import with_weights
from treino.records.network_answers import check_answers
from treino.records.run_record import RunRecord
from treino.store import RunFolder
from treino.words import _


class NetworkRecord(Protocol):
    """The place of a stored run's contents: a folder of its own, or a sweep that keeps this network.

    The names are those of ``StoredRun``. weights: the kept ``state_dict`` with the buffers that it leaves
    out, and the network's answers where they are known. network: without these weights.
    """

    folder: RunFolder
    access: Access

    @property
    def name(self) -> str: ...
    @property
    def typed(self) -> str: ...
    @property
    def spec(self) -> RunSpec: ...
    @property
    def document(self) -> dict[str, Any]: ...
    @property
    def result(self) -> RunResult | None: ...
    @property
    def losses(self) -> np.ndarray: ...
    @property
    def evaluations(self) -> dict[str, dict[str, list[float | None]]]: ...
    @property
    def preparation(self) -> Preparation: ...
    @property
    def data(self) -> Data: ...
    @property
    def tensors(self) -> Mapping[str, Tensor]: ...
    def weights(self) -> tuple[Mapping[str, Tensor], Any]: ...
    def network(self) -> nn.Module: ...


class StoredRun:
    """One training, read from disk; also one that is still going on.

    Nothing is read before it is needed, and nothing in the folder is executed: the network of a run that
    trained a module of your own needs ``net=``, or ``trust=True``, which runs the copy of its file that was
    sealed with the run.

    module: to answer in the place of the kept network. one: the number of the only member of an ensemble that
    answers.
    """

    def __init__(
        self, record: NetworkRecord, module: nn.Module | None = None, one: int | None = None
    ) -> None:
        self.record, self.one = record, one
        self.folder = record.folder
        self.notices = self.folder.notices  # sentences about what was worked around, or is missing
        if module is not None:
            self.module = module

    @property
    def path(self) -> Path:
        return self.folder.path

    @property
    def name(self) -> str:
        return self.record.name

    @property
    def title(self) -> str:
        """The name for pictures: with the number of the member that they are of."""
        if self.one is None:
            return self.name
        return _("{run}, network {n} of {members}").format(
            run=self.name, n=self.one, members=self.spec.resolved.ensemble
        )

    def member(self, number: int | None = None) -> Self:
        """The same run with one network of an ensemble in its place: whoever asks it asks this one alone.

        number: counted from 0; default the best one. A run of one network is its own member.

        Raises:
            TreinoError: there is no such member.
        """
        members = self.spec.resolved.ensemble
        found = whole("member", self._usual if number is None else number, 0, text="member")
        if found >= members:
            raise TreinoError(
                "member_range",
                _("There is no member {member}; there are {n}.").format(member=found, n=members),
                _("Members count from 0."),
            )
        return self if members == 1 else type(self)(self.record, one=found)

    @property
    def _usual(self) -> int:
        """The member that is asked where none is named: the best one, while it trains the first."""
        result = self.result if self.one is None else None
        return self.one or (result.answering[0] if result is not None and result.answering else 0)

    @property
    def typed(self) -> str:
        """What to type for this run on a command line: its name where it lies in ./runs, else its path."""
        return self.record.typed

    @property
    def status(self) -> str:
        """running, finished, stopped, interrupted or diverged."""
        return self.folder.status

    @property
    def spec(self) -> RunSpec:
        """What was asked and what was resolved, the data's name, the versions."""
        return self.record.spec

    @property
    def settings(self) -> dict[str, Any]:
        """Every setting with the value that it had."""
        return self.spec.resolved.model_dump(mode="json")

    @property
    def document(self) -> dict[str, Any]:
        """The ``train`` document: all figures of the run. Of a run that is not over, those that there are."""
        return self.record.document

    @property
    def result(self) -> RunResult | None:
        """All figures of the run; None before it is over, and of a network of a sweep."""
        return self.record.result

    @property
    def facts(self) -> RunFacts:
        """What is known from the first step on: data, network, settings; once it is over, all figures."""
        return self.result or self.spec.facts

    @property
    def steps(self) -> int:
        """Updates that it has taken; of a diverged one, those whose weights were finite."""
        result = self.result
        return len(self.losses) if result is None else result.steps

    @property
    def metrics(self) -> dict[str, dict[str, float] | None]:
        """``{split: {metric: value}}`` of the kept weights; test is None before the run is over."""
        return dict(self.document["metrics"])

    @property
    def losses(self) -> np.ndarray:
        """``[S]`` float32: the training loss of every step that led to the newest weights."""
        return self.record.losses

    @property
    def evaluations(self) -> dict[str, dict[str, list[float | None]]]:
        """``{split: {metric: [value of epoch 1, 2, ...]}}``; None for an epoch that was not evaluated."""
        return self.record.evaluations

    @property
    def member_evaluations(self) -> dict[str, dict[str, list[list[float | None]]]]:
        """``{split: {metric: [of each member [value of epoch 1, 2, ...]]}}`` of an ensemble's networks."""
        if self.spec.resolved.ensemble == 1:
            return {}
        return member_evaluations(self.folder, self.spec, int(self.document["epochs"]))

    @property
    def preparation(self) -> Preparation:
        return self.record.preparation

    @property
    def loss_function(self) -> Loss:
        """The loss that was trained, with its settings."""
        s = self.spec.resolved
        faulty = "softmax_before_cross_entropy" in s.fault
        return Loss(s.loss, s.label_smoothing, s.class_weights or None, faulty)

    @property
    def target_scale(self) -> float:
        """One unit of the network's output in the target's own units."""
        return self.spec.target_scale

    @property
    def data(self) -> Data:
        """The rows that it was trained on, in the same splits; of a DataLoader or Dataset that doesn't lie
        in memory some of them."""
        return self.record.data

    @property
    def item_shape(self) -> tuple[int, ...] | None:
        """The shape in which the network takes one item, where it is not flat."""
        return None if self.spec.net == "mlp" else self.spec.item_shape

    @property
    def tensors(self) -> Mapping[str, Tensor]:
        """The kept weights under their ``state_dict`` names."""
        return self.record.tensors

    @property
    def state(self) -> Mapping[str, Tensor]:
        """The kept weights, and the buffers that ``state_dict`` leaves out."""
        return self.record.weights()[0]

    @cached_property
    def module(self) -> nn.Module:
        """The kept network as a plain ``nn.Module`` in eval mode.

        It takes prepared rows ``[B, D]`` float32 and returns logits ``[B, C]`` (or standardised values
        ``[B, 1]``); ``predict`` prepares for you.

        Raises:
            TreinoError: the run trained a network of your own, and neither ``net`` nor ``trust`` was given;
                no copy of it was sealed with the run; the network has other tensors, or gives other answers.
        """
        if self.one is not None:
            return self._member_module(self.one)
        bare = self.record.network()
        tensors, answers = self.record.weights()
        net = with_weights(bare, tensors, self.name)
        if self.item_shape is not None:
            check_answers(net, self.item_shape, answers, self.name)
        return net

    def _member_module(self, number: int) -> nn.Module:
        """A member's kept network.

        Raises:
            TreinoError: it is not one of those that answer, whose weights alone are kept.
        """
        every = StoredRun(self.record).module
        answering = self.result.answering if self.result is not None else ()
        if number not in answering:
            raise TreinoError(
                "member_not_kept",
                _("Network {n} of {run} is not one of those that answer, whose weights are kept.").format(
                    n=number, run=self.name
                ),
                _("Those are: {numbers}.").format(numbers=", ".join(map(str, answering))),
            )
        assert isinstance(every, Ensemble)
        return every.members[answering.index(number)]

    def __repr__(self) -> str:
        result = self.result
        test = (result and result.metrics.test) or {}
        figures = ", ".join(f"{k} {'–' if v is None else f'{v:.3f}'}" for k, v in test.items())
        shown = f", test {figures}" if figures else ""
        return f"{type(self).__name__}({str(self.path)!r}, {self.status}{shown})"


def stored_run(folder: RunFolder, access: Access | None = None, data: Data | None = None) -> StoredRun:
    """The run of this folder. data: its rows, where they are at hand already."""
    return StoredRun(RunRecord(folder, access or Access(), data))


def study_without_network(study: RunFolder) -> TreinoError:
    """The error for a study where a run is wanted."""
    name = study.path.name
    return TreinoError(
        "study_is_no_run",
        _("{name} is a study: it keeps figures of several settings, and no network.").format(name=name),
        _("See it with: treino show {name}; each of its rows says how to train it alone.").format(name=name),
    )
