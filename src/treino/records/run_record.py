"""The contents of a run's own folder: its documents, its rows and its network."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from torch import Tensor, nn

from treino.data.dataset import Data
from treino.data.preparation.preparation import Preparation
from treino.data.torch_datasets.dataset_source import in_memory
from treino.documents import read_document, read_preparation, read_run_result, read_run_spec, read_tensors
from treino.documents.run_result import RunResult
from treino.documents.run_spec import RunSpec
from treino.engine import mlp
from treino.engine.ensemble import Ensemble
from treino.engine.templates import plain_module
from treino.engine.user_module import module_copy
from treino.errors import TreinoError
from treino.records.access import Access
from treino.records.data_source import data_of
from treino.records.histories import UNKNOWN, evaluations, histories
from treino.records.kept_layers import check_layers
from treino.records.network_source import run_network
from treino.records.registry_names import check_names, check_outputs
from treino.records.segments import losses_of
from treino.records.weights import WEIGHTS, read_weights
from treino.store import RunFolder
from treino.store.files import damaged
from treino.store.new_names import command_word
from treino.words import _


@dataclass(eq=False)
class RunRecord:
    """Nothing is read before it is needed, and nothing in the folder is executed but what ``access`` allows.

    rows: those that it was trained on, where they are at hand already.
    """

    folder: RunFolder
    access: Access
    rows: Data | None = None

    @property
    def name(self) -> str:
        return self.folder.path.name

    @property
    def typed(self) -> str:
        return command_word(self.folder.path)

    @cached_property
    def spec(self) -> RunSpec:
        found = read_run_spec(self.folder)
        check_names(found.resolved.model_dump())
        check_outputs(found)
        return found

    @property
    def document(self) -> dict[str, Any]:
        head: dict[str, Any] = {
            "run": self.name,
            "path": str(self.folder.path),
            "status": self.folder.status,
        }
        if self.folder.manifest.sealed:
            return head | {
                k: v for k, v in read_document(self.folder, "result.json").items() if k not in head
            }
        if not self.folder.has("spec.json"):
            return head
        so_far = {"steps": len(self.losses)} | histories(self.folder, self.spec)
        facts = read_document(self.folder, "spec.json")["facts"]
        return {**head, **facts, **UNKNOWN, "waited": None, **so_far}

    @property
    def result(self) -> RunResult | None:
        if not self.folder.manifest.sealed:  # what is there may be of an earlier stop
            return None
        return read_run_result(self.folder)

    @property
    def losses(self) -> np.ndarray:
        return losses_of(self.folder, self.spec)

    @property
    def evaluations(self) -> dict[str, dict[str, list[float | None]]]:
        found = evaluations(self.folder, self.spec, int(self.document["epochs"]))
        found.pop("train", None)  # its only figures are seconds
        return found

    @cached_property
    def preparation(self) -> Preparation:
        found = Preparation.from_document(read_preparation(self.folder))
        if (len(found.inputs), tuple(found.classes)) != (self.spec.inputs, self.spec.classes):
            raise damaged(
                self.folder.path / "preparation.json", _("its inputs or classes are not those of spec.json")
            )
        return found

    @cached_property
    def data(self) -> Data:
        return in_memory(data_of(self.folder, self.access.data_file)) if self.rows is None else self.rows

    @property
    def tensors(self) -> Mapping[str, Tensor]:
        return read_tensors(self.folder, WEIGHTS)[0]

    def weights(self) -> tuple[Mapping[str, Tensor], Any]:
        return read_weights(self.folder)

    def network(self) -> nn.Module:
        """The network without its kept weights.

        Raises:
            TreinoError: it has no weights yet; it is the user's own, and its code may not run.
        """
        s = self.spec.resolved
        if not self.folder.manifest.sealed:
            raise TreinoError(
                "no_weights_yet",
                _("{run} is {status}: its weights are kept when it ends.").format(
                    run=self.name, status=_(self.folder.status)
                ),
                _("Wait for it, or resume it: treino resume {run}").format(run=self.name),
            )
        members = 1 if self.result is None else len(self.result.answering) or 1
        one = self._one_network(members)
        if s.ensemble == 1:
            return one
        nets = [one, *(module_copy(one) for _member in range(members - 1))]
        limited = s.clip_target and not self.spec.classes
        return Ensemble(nets, s.loss, (0.0, 0.0) if limited else None)  # they are kept with the weights

    def _one_network(self, members: int) -> nn.Module:
        """The network, or one of so many that answer together."""
        spec, s = self.spec, self.spec.resolved
        if isinstance(self.access.net, nn.Module):
            return plain_module(module_copy(self.access.net))
        own = run_network(self.folder, spec.net, spec.asked.get("net"), self.access, s.seed)
        if own is not None:
            return plain_module(own)
        assert s.hidden is not None  # the document holds no network of treino's own layers without them
        assert s.activation is not None
        sizes = [spec.inputs, *s.hidden, spec.outputs]
        check_layers(sizes, (t.shape for t in self.tensors.values()), self.name, members)
        # its layers are there also where it was set to 0 on the way, and count in the weights' names
        dropout = s.dropout or spec.asked.get("dropout") or 0.0
        described = mlp(*s.hidden, activation=s.activation, dropout=dropout, batch_norm=s.batch_norm)
        made: nn.Module = described.module(spec.inputs, spec.outputs)
        return made
