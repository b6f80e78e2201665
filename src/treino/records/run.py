"""``Run``: a trained network with its metrics, history and predictions."""

from collections.abc import Mapping
from functools import cached_property
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from treino.data.dataset import Data
from treino.data.preparation.preparation import Preparation
from treino.data.torch_datasets.dataset_source import in_memory
from treino.documents import read_document, read_tensors
from treino.engine import Loss, mlp
from treino.engine.hyperparameters import changed_values
from treino.engine.templates import plain_module
from treino.engine.user_module import module_copy
from treino.errors import TreinoError
from treino.records.data_source import data_of
from treino.records.histories import UNKNOWN, evaluations, histories
from treino.records.kept_layers import check_layers, with_weights
from treino.records.network_answers import check_answers
from treino.records.network_source import run_network
from treino.records.registry_names import check_names, check_outputs
from treino.records.segments import losses_of
from treino.records.weights import WEIGHTS, read_weights
from treino.store import RunFolder, find
from treino.store.files import damaged
from treino.store.naming import command_word
from treino.words import _

if TYPE_CHECKING:
    from treino.training.replay import Moment


class Run:
    """A trained network with its metrics, history and predictions, as its folder holds them.

    Nothing is read before it is asked for, and nothing in the folder is executed: the network of a run
    that trained a module of your own needs ``net=``, or ``trust=True``, which runs the copy of its file that
    was sealed with the run.
    """

    def __init__(
        self,
        folder: RunFolder,
        *,
        data: Data | None = None,
        net: nn.Module | str | None = None,
        trust: bool = False,
        data_file: str | Path | None = None,
    ) -> None:
        self.folder = folder
        self._data, self._net, self._trust, self._data_file = data, net, trust, data_file
        self.notices = folder.notices  # sentences about what was worked around, or is missing

    @property
    def path(self) -> Path:
        return self.folder.path

    @property
    def name(self) -> str:
        return self.folder.path.name

    @property
    def typed(self) -> str:
        """What to type for this run on a command line: its name where it lies in ./runs, else its path."""
        return command_word(self.path)

    @property
    def status(self) -> str:
        """running, finished, stopped, interrupted or diverged."""
        return self.folder.status

    @cached_property
    def spec(self) -> dict[str, Any]:
        """What was asked and what was resolved, the data's name, the versions."""
        found = dict(read_document(self.folder, "spec.json"))
        check_names(found["resolved"])
        check_outputs(found)
        return found

    @property
    def settings(self) -> dict[str, Any]:
        """Every setting with the value that it had."""
        return dict(self.spec["resolved"])

    @property
    def document(self) -> dict[str, Any]:
        """The ``train`` document: all figures of the run. Of a run that is not over, those that there are."""
        head: dict[str, Any] = {"run": self.name, "path": str(self.path), "status": self.status}
        if self.folder.manifest.sealed:  # an earlier stop may have left its figures in a run that goes on
            return head | {
                k: v for k, v in read_document(self.folder, "result.json").items() if k not in head
            }
        if not self.folder.has("spec.json"):
            return head
        so_far = {"steps": len(self.losses)} | histories(self.folder, int(self.spec["steps_per_epoch"]))
        return {**head, **self.spec["facts"], **UNKNOWN, "waited": None, **so_far}

    @property
    def metrics(self) -> dict[str, dict[str, float] | None]:
        """``{split: {metric: value}}`` of the kept weights; test is None before the run is over."""
        return dict(self.document["metrics"])

    @property
    def losses(self) -> np.ndarray:
        """``[S]`` float32: the training loss of every step that led to the newest weights."""
        return losses_of(self.folder, self.spec)

    @property
    def evaluations(self) -> dict[str, dict[str, list[float | None]]]:
        """``{split: {metric: [value of epoch 1, 2, ...]}}``; None for an epoch that was not evaluated."""
        found = evaluations(self.folder, int(self.document["epochs"]))
        found.pop("train", None)  # its only figures are seconds
        return found

    @cached_property
    def preparation(self) -> Preparation:
        found = Preparation.from_json(read_document(self.folder, "preparation.json"))
        if (len(found.inputs), list(found.classes)) != (self.spec["inputs"], self.spec["classes"]):
            raise damaged(
                self.path / "preparation.json", _("its inputs or classes are not those of spec.json")
            )
        return found

    @cached_property
    def loss_function(self) -> Loss:
        """The loss that was trained, with its settings."""
        s = self.settings
        weights = tuple(s["class_weights"]) if s["class_weights"] else None
        return Loss(s["loss"], s["label_smoothing"], weights, "softmax_before_cross_entropy" in s["fault"])

    @property
    def target_scale(self) -> float:
        """One unit of the network's output in the target's own units."""
        return float(self.spec["target_scale"])

    @property
    def data(self) -> Data:
        """The rows that it was trained on, in the same splits; of a DataLoader or Dataset that doesn't lie
        in memory some of them."""
        if self._data is None:
            self._data = in_memory(data_of(self.folder, self._data_file))
        return self._data

    @property
    def item_shape(self) -> tuple[int, ...] | None:
        """The shape in which the network takes one item, where it is not flat."""
        return None if self.spec["net"] == "mlp" else tuple(self.spec["item_shape"])

    @property
    def tensors(self) -> Mapping[str, torch.Tensor]:
        """The kept weights under their ``state_dict`` names."""
        return read_tensors(self.folder, WEIGHTS)[0]

    @property
    def state(self) -> Mapping[str, torch.Tensor]:
        """The kept weights, and the buffers that ``state_dict`` leaves out."""
        return self._weights()[0]

    def _weights(self) -> tuple[Mapping[str, torch.Tensor], Any]:
        """``state``, and the network's answers where they are known."""
        return read_weights(self.folder)

    @cached_property
    def module(self) -> nn.Module:
        """The kept network as a plain ``nn.Module`` in eval mode.

        It takes prepared rows ``[B, D]`` float32 and returns logits ``[B, C]`` (or standardised values
        ``[B, 1]``); ``predict`` prepares for you.

        Raises:
            TreinoError: the run trained a network of your own, and neither ``net`` nor ``trust`` was given;
                no copy of it was sealed with the run; the network has other tensors, or gives other answers.
        """
        if not self.folder.manifest.sealed:
            raise TreinoError(
                "no_weights_yet",
                _("{run} is {status}: its weights are kept when it ends.").format(
                    run=self.name, status=_(self.status)
                ),
                _("Wait for it, or resume it: treino resume {run}").format(run=self.name),
            )
        if self._net is None and self.spec["net"] == "mlp":
            sizes = [self.spec["inputs"], *self.settings["hidden"], self.spec["outputs"]]
            check_layers(sizes, (t.shape for t in self.tensors.values()), self.name)
        return self._with_weights()

    def _with_weights(self) -> nn.Module:
        tensors, answers = self._weights()
        net = with_weights(self._bare(), tensors, self.name)
        if self.item_shape is not None:
            check_answers(net, self.item_shape, answers, self.name)
        return net

    def _bare(self) -> nn.Module:
        if isinstance(self._net, nn.Module):
            return plain_module(module_copy(self._net))
        s, asked = self.settings, self.spec.get("asked", {})
        own = run_network(self.folder, self.spec["net"], asked.get("net"), self._net, self._trust, s["seed"])
        if own is not None:
            return plain_module(own)
        # its layers are there also where it was set to 0 on the way, and count in the weights' names
        dropout = s["dropout"] or asked.get("dropout") or 0.0
        made: nn.Module = mlp(
            *s["hidden"], activation=s["activation"], dropout=dropout, batch_norm=s["batch_norm"]
        ).module(self.spec["inputs"], self.spec["outputs"])
        return made

    def predict(self, source: Any) -> Any:
        """Predictions for new rows. A frame gives a frame (with probabilities), arrays an array."""
        from treino.records.prediction import predict_like

        return predict_like(self, source)

    def resume(self, data: Any = None, *, net: nn.Module | str | None = None) -> "Run":
        """Go on with a run that was interrupted, as ``treino resume`` does, and return it when it is over.

        data: once more the Dataset or DataLoader, where it was trained on one. net: once more the network,
        where it was given in Python.

        Raises:
            TreinoError: there is nothing to resume; the data or the network is another one.
        """
        from treino.pictures.illustration import illustrated
        from treino.training.train import drain, resuming

        again = self._net if net is None else net
        path, data_file = self.path, self._data_file
        stream = resuming(path, net=again, trust=self._trust, data_file=data_file, data=data)
        return drain(illustrated(stream))

    def at(self, step: int, data: Any = None) -> "Moment":
        """The run after ``step`` updates, played again bit for bit: weights, next batch, optimizer's state.

        data: once more the Dataset, where it was trained on one. Many steps at once: ``moments``.

        Raises:
            TreinoError: a step outside 0 and the run's last; rows that can't be had again.
        """
        from treino.training.replay import moments

        return next(moments(self, [step], data))

    def rewind(self, step: int, **changes: Any) -> "Run":
        """Go back to a step of this run and on from there with other settings, in the same folder.

        What came after the step stays in an older segment: nothing is overwritten, and figures, curves and
        ``resume`` speak of the newest one. ``changes`` as in ``Moment.branch``.

        Raises:
            TreinoError: a setting that can't change on the way; a process is still training it.
        """
        from treino.pictures.illustration import illustrated
        from treino.training.branch import rewinding
        from treino.training.train import drain

        return drain(illustrated(rewinding(self.at(step), changes)))

    def set(self, name: str, value: Any, step: int | None = None) -> None:
        """Ask the process that trains this run to change a hyper-parameter from a step on.

        name, value: as for ``Training.set``.

        Raises:
            TreinoError: an unknown name, a value out of range or that has no meaning for this network, or no
                process that trains.
        """
        self._live()
        s, asked = self.settings, self.spec.get("asked", {})
        dropout = self.spec["net"] == "mlp" and bool(s["dropout"] or asked.get("dropout"))
        for each, value_P in changed_values(name, value, 1, s["optimizer"], dropout).items():
            self.folder.database.add_command(each, value if each == name else float(value_P[0]), step)

    def stop(self) -> None:
        """Ask the process that trains this run to save and stop; ``resume`` goes on."""
        self._live()
        self.folder.database.add_command("stop", None)

    def _live(self) -> None:
        if self.status != "running":
            raise TreinoError(
                "not_running",
                _("{run} is {status}: no process would hear that.").format(
                    run=self.name, status=_(self.status)
                ),
                _("Resume it first, or train a new run."),
            )

    def _repr_html_(self) -> str:
        """A card for notebooks: figures, intervals, the loss, findings."""
        from treino.pictures.curves import curves_of
        from treino.plots.card import run_card

        if not self.folder.has("spec.json"):
            return f"<code>{escape(repr(self))}</code>"
        return run_card(self.name, self.spec["data"]["name"], self.document, curves_of(self))

    def __repr__(self) -> str:
        document = self.document
        test = (document.get("metrics") or {}).get("test") or {}
        figures = ", ".join(f"{k} {'–' if v is None else f'{v:.3f}'}" for k, v in test.items())
        return f"Run({str(self.path)!r}, {self.status}{', test ' + figures if figures else ''})"


def open_run(
    run: str | Path = "last",
    *,
    parent: str | Path = "runs",
    net: nn.Module | str | None = None,
    trust: bool = False,
    data: str | Path | None = None,
    verify: bool = True,
) -> Run:
    """The run of that name in ``parent``, or in that folder, or the newest one (``last``); a sweep's
    winner, or its network 17 (``SWEEP:17``) where its weights are kept.

    net, trust: where the run trained a module of your own. data: where its file has moved.

    Raises:
        TreinoError: no such run (with the nearest name), a damaged one (with the file), a newer format.
    """
    from treino.tuning.member import member_run, parted, sweep_folder

    asked: dict[str, Any] = {"net": net, "trust": trust, "data_file": data}
    if (named := parted(run)) is not None:
        return member_run(sweep_folder(named[0], parent), named[1], **asked)
    folder = RunFolder.open(find(run, parent), verify=verify)
    if folder.kind == "sweep":  # its winner is a run
        from treino.tuning.stored_sweep import best_of

        return best_of(folder, **asked)
    if folder.kind == "study":
        raise no_network(folder)
    return Run(folder, net=net, trust=trust, data_file=data)


def no_network(study: RunFolder) -> TreinoError:
    """The error for a study where a run is expected."""
    name = study.path.name
    return TreinoError(
        "study_is_no_run",
        _("{name} is a study: it keeps figures of several settings, and no network.").format(name=name),
        _("See it with: treino show {name}; each of its rows says how to train it alone.").format(name=name),
    )
