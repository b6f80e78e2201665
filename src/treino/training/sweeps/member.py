"""One network of a sweep, named ``SWEEP:17``: its predictions, or its settings to train again."""

import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from treino.base.errors import Refusal
from treino.base.own_objects import is_kept, is_own
from treino.base.words import _
from treino.data.dataset import Data
from treino.data.preparation.preparation import Preparation
from treino.data.source_kinds import is_torch_dataset, source_kind
from treino.data.sources import BuiltinName
from treino.engine import Loss
from treino.engine.losses import quantile_levels
from treino.engine.nets import input_shape
from treino.folders.access import Access
from treino.folders.data_source import data_of, recorded_settings, source_of
from treino.folders.documents.reading import read_document, read_preparation, read_run_spec, read_sweep_spec
from treino.folders.documents.run_spec import ResolvedSettings, RunSpec
from treino.folders.network_source import NET_WANTED, NetworkSource, network_source, run_network
from treino.folders.own_code import OF_ENTRIES, restore_own_code
from treino.folders.store import Change, RunFolder, find
from treino.folders.store.new_names import command_word
from treino.folders.stored_folder import StoredFolder
from treino.folders.stored_run import STUDY_IS_NO_RUN, StoredRun
from treino.folders.timeline import segments_of
from treino.folders.weights import check_layers
from treino.settings.data_settings import OF_FORMAT, READERS
from treino.settings.network_settings import LAYERS
from treino.settings.setting_types import as_items
from treino.settings.several import OF_MEMBERS
from treino.settings.spec import OF_DATA, OF_PLACE, Settings
from treino.training.completion import run_facts, shape_entries
from treino.training.likeness import Likeness
from treino.training.resolution import decide, resolve
from treino.training.sweeps.bracket import MemberTable, TopMember, read_top
from treino.training.sweeps.populations import SharedRows, settings_of, shared_settings

MEMBER_OF_A_RUN = Refusal("{name} is a run, a single network.", "Leave the number out.")
NETWORK_RANGE = Refusal(
    "{sweep} has no network {n}; there are {count}, counted from 0.",
    "See: treino show {sweep}",
    rule="member_range",
)
WEIGHTS_NOT_KEPT = Refusal(
    "{sweep} keeps the weights of {n} networks, and {member} is none of them.",
    "Train it again: treino train [[like={sweep}:{member}]]",
)
LIKE_WHICH = Refusal("{sweep} is a sweep of many networks.", "Say which, by its number: {sweep}:17")
LIKE_WEIGHTS = Refusal(
    "{run} began with the weights of {start}, which are no setting of it.",
    "Add [[weights={start}]], or others.",
)
LIKE_BRANCH = Refusal(
    "{run} went on from a step of another training, and [[like]] trains from step 0.",
    "Do the same once more: {command}; or give DATA and the settings themselves.",
)

MEMBER_CURVES = Refusal(
    "{sweep} holds the curves of its networks together.", "Draw them all: treino plot {sweep} [[what=curves]]"
)

_NAME = re.compile(r"(?P<sweep>.+):(?P<member>\d+)")


def parse_member(name: str | Path) -> tuple[str, int] | None:
    """Split ``wine-sweep-1:17`` into the sweep's name and the network's number; None for other names."""
    match = _NAME.fullmatch(str(name))
    return None if match is None or Path(name).exists() else (match["sweep"], int(match["member"]))


def sweep_folder(name: str | Path, parent: str | Path = "runs") -> RunFolder:
    """Open the folder of the sweep of that name.

    Raises:
        TreinoError: there is no such folder, or it isn't a sweep's.
    """
    folder = RunFolder.open(find(name, parent))
    if folder.kind == "study":
        raise STUDY_IS_NO_RUN(name=folder.path.name)
    if folder.kind != "sweep":
        raise MEMBER_OF_A_RUN(name=folder.path.name)
    return folder


def params_of(folder: RunFolder, member: int) -> dict[str, Any]:
    """The member's own settings, which override the shared ones.

    Raises:
        TreinoError: there is no such member.
    """
    configs = read_document(folder, "asked.json")["configs"] if folder.has("asked.json") else []
    if not 0 <= member < len(configs):
        raise NETWORK_RANGE(sweep=folder.path.name, n=member, count=len(configs))
    return dict(configs[member])


def member_runs(folder: RunFolder, members: Sequence[int], access: Access) -> "list[SweepNetwork]":
    """For each of these members a run that predicts with its kept weights and has no folder of its own.

    Raises:
        TreinoError: no such member, its weights were not kept, or the data that it needs is gone.
    """
    top = {k.member: k for k in read_top(folder)}
    configs = [params_of(folder, member) for member in members]
    for member in members:
        if member not in top:
            raise WEIGHTS_NOT_KEPT(sweep=folder.path.name, n=len(top), member=member)
    data_for, base = _rows_and_base(folder, access.data_file)
    each = [settings_of(config, base, n) for config, n in zip(configs, members, strict=True)]
    return [
        SweepNetwork(folder, access, data_for(settings), top[member], settings)
        for settings, member in zip(each, members, strict=True)
    ]


class SweepNetwork(StoredRun):
    """One network of a sweep, a run without a folder of its own.

    rows: those that it was trained on. kept: its weights. asked: its settings as requested, before defaults
    are resolved.
    """

    def __init__(
        self, folder: RunFolder, access: Access, rows: Data, kept: TopMember, asked: Settings
    ) -> None:
        super().__init__(folder, access, rows)
        self.kept, self.asked, self.preparation = kept, asked, rows.preparation

    @property
    def name(self) -> str:
        return f"{self.folder.path.name}-{self.kept.member}"

    @property
    def typed(self) -> str:
        return command_word(self.folder.path, f":{self.kept.member}")

    @property
    def answering(self) -> tuple[int, ...]:
        return tuple(self.kept.answering)

    @cached_property
    def spec(self) -> RunSpec:
        """The member's settings, each resolved, by its training before the first step.

        Raises:
            TreinoError: the network is the user's own, and its code may not run.
        """
        sweep, data, s, kind = read_sweep_spec(self.folder), self.data, self.asked, self.asked.net_kind
        if kind in LAYERS:
            layers, _arguments = decide(s, data)
            loss = Loss(s.loss, levels=quantile_levels(s, s.loss)) if s.loss else None
            outputs = data.outputs if loss is None else loss.outputs(data.outputs)
            wanted = layers.parameter_shapes(input_shape(layers, data.item_shape), outputs)
            check_layers(wanted, [t.shape for t in self.tensors.values()], self.name, len(self.answering))
        resolution = resolve(s, data, run_network(self.folder, kind, s.net, self.access, s.seed))
        resolved, facts = resolution.settings, run_facts(data, resolution)
        return RunSpec.model_construct(
            asked={**sweep.asked, **({} if s.net is None else {"net": s.net})},
            resolved=resolved,
            facts=facts,
            data=sweep.data,
            **shape_entries(data, resolution.training),
            net=kind if kind not in LAYERS else resolved.net or "mlp",
            command=f"treino train --like {self.typed}",
            weights=None,
            versions=sweep.versions,
            machine=sweep.machine,
        )

    @property
    def document(self) -> dict[str, Any]:
        """The member's settings, and its row at each rung. If the network or a loss is the user's own and its
        code may not run, entries that need it are left open."""
        rungs = MemberTable.read(self.folder).of(self.kept.member, self.path)
        net = self.asked.net_file
        runs = net is None or self.access.net is not None or self.access.trust or is_kept(net)
        of_user = (getattr(self.asked, name) for name in OF_ENTRIES)
        runs = runs and all(is_kept(name) for name in of_user if is_own(name))
        requested = self.asked.model_dump(mode="json", exclude={*OF_PLACE})
        return {
            "sweep": self.path.name,
            "path": str(self.path),
            "status": rungs[-1]["status"],
            "member": self.kept.member,
            "params": params_of(self.folder, self.kept.member),
            "settings": self.settings if runs else requested,
            "rungs": rungs,
        }

    @property
    def resolved(self) -> ResolvedSettings:
        return self.spec.resolved

    @property
    def asked_settings(self) -> dict[str, Any]:
        return self.spec.asked

    @property
    def first_settings(self) -> dict[str, Any]:
        return self.settings

    @property
    def result(self) -> None:
        """None: the sweep's folder has no results of this network alone."""

    @property
    def changes(self) -> list[Change]:
        return []

    @property
    def losses(self) -> np.ndarray:
        raise MEMBER_CURVES(sweep=self.folder.path.name)

    @property
    def evaluations(self) -> dict[str, dict[str, list[float | None]]]:
        raise MEMBER_CURVES(sweep=self.folder.path.name)

    @property
    def tensors(self) -> Mapping[str, Tensor]:
        return self.kept.weights

    def _weights(self) -> tuple[Mapping[str, Tensor], None]:
        return self.kept.state, None


def name_of_like(name: str | Path) -> str:
    """The name of the run or sweep that ``like`` takes its settings from."""
    return _named(name)[0].path.name


def _named(name: str | Path) -> tuple[RunFolder, int | None]:
    """The folder of the run or sweep of this name, and the number of the network, if the name has one.

    Raises:
        TreinoError: there is no such folder; it is a study's, which keeps no network.
    """
    parts = parse_member(name)
    folder = RunFolder.open(find(name)) if parts is None else sweep_folder(parts[0])
    if folder.kind == "study":
        raise STUDY_IS_NO_RUN(name=folder.path.name)
    return folder, None if parts is None else parts[1]


def like_note(name: str | Path) -> str:
    """A sentence for a run whose settings changed while it trained, as ``like`` leaves that out; else ""."""
    if parse_member(name) is not None:
        return ""
    run = StoredRun(RunFolder.open(find(name)))
    changes = " ".join(map(str, run.changes)) if run.folder.kind == "run" else ""
    sentence = _("{run} was changed on its way, and this training isn't. {changes}")
    return sentence.format(run=run.name, changes=changes) if changes else ""


def like(
    name: str | Path,
    data_file: str | Path | None = None,
    trust: bool = False,
    weights: str | None = None,
) -> tuple[Any, dict[str, Any], NetworkSource]:
    """Source and settings that train a network of a sweep, or a run, again bit for bit; and the source of the
    user's network file that these settings name.

    trust: the copy of that file that was sealed with the folder may run. weights: the initial weights, which
    must be given again if the run had some.

    Raises:
        TreinoError: there is no such network; its data is gone; it was given in Python and can't be named.
    """
    folder, member = _named(name)
    restore_own_code(folder, Access(trust=trust))
    if member is not None:
        config = params_of(folder, member)
        data_for, base = _rows_and_base(folder, data_file)
        source, settings_given = data_for.source, settings_of(config, base, member).explicit
        rows = MemberTable.read(folder).last()  # {}: it hasn't begun
        engine = next(({"engine": row["engine"]} for row in rows if row["member"] == member), {})
    else:
        if folder.kind == "sweep":
            raise LIKE_WHICH(sweep=folder.path.name)
        spec = read_run_spec(folder)
        asked = {k: v for k, v in spec.asked.items() if v is not None}
        engine = {n: getattr(spec.resolved, n) for n in ("engine", "threads")}
        source = source_of(folder, data_of(folder, data_file), data_file)
        settings_given = recorded_settings(folder, asked, source)
        if spec.net == "given" and "net" not in asked:
            raise NET_WANTED(run=folder.path.name)
        if spec.weights and weights is None:
            raise LIKE_WEIGHTS(run=folder.path.name, start=spec.weights)
        if len(segments_of(spec)) > 1:
            raise LIKE_BRANCH(run=folder.path.name, command=StoredRun(folder).command)
    if isinstance(source, Data):
        settings_given = {k: v for k, v in settings_given.items() if k not in OF_DATA}
    if not isinstance(source, BuiltinName):  # the present default recipe could differ
        settings_given = {"recipe": "plain"} | settings_given
    return source, settings_given | engine, network_source(folder, None, trust)


def likeness(
    like_of: str | Path | StoredFolder, source: Any, *, trust: bool = False, net: bool = False
) -> Likeness:
    """What trains on other rows as a run, or a network of a sweep, was trained.

    like_of: its name, or the run itself; of a sweep over seeds or folds, what its networks share. source: the
    other rows. trust: the copies of the user's code that were sealed with the folder may run. net: whether
    the user's network is given again.

    Raises:
        TreinoError: there is no such network; one that was given in Python is not given again.
    """
    if isinstance(like_of, StoredFolder):
        trust = trust or like_of.access.trust
        like_of = like_of.typed if isinstance(like_of, SweepNetwork) else like_of.path
    folder, member = _named(like_of)
    restore_own_code(folder, Access(trust=trust))
    if folder.kind == "sweep":
        sweep = read_sweep_spec(folder)
        if member is None and not sweep.sweep.spread:
            raise LIKE_WHICH(sweep=folder.path.name)
        config = {} if member is None else params_of(folder, member)
        asked, own_net = settings_of(config, sweep.base, 0).explicit, False
        if member is None:
            asked.pop("fold", None)
    else:
        run = StoredRun(folder)
        decided = {name for name, of in run.spec.sources.items() if of != "typed"} - {"recipe", "lr"}
        asked = {name: value for name, value in run.asked_settings.items() if name not in decided}
        own_net = run.spec.net == "given" and "net" not in asked
    if own_net and not net:
        raise NET_WANTED(run=folder.path.name)
    former, left_out = asked.get("net"), {"net", "recipe"} if net else set()
    left_out |= {name for name in OF_FORMAT if source_kind(source) not in (*READERS[name], "photographs")}
    asked = {name: v for name, v in asked.items() if v is not None and name not in left_out}
    asked = recorded_settings(folder, asked, source_of(folder))
    kept = Preparation.from_document(read_preparation(folder))
    named = kept.programs and not kept.width
    if named and not (isinstance(source, tuple | Mapping | Data) or is_torch_dataset(source)):
        targets = as_items([one.target for one in kept.by_target])
        asked = {"target": targets, "task": kept.task, "features": list(kept.features)} | asked
    return Likeness(folder.path.name, asked, network_source(folder, None, trust), kept, former)


def _rows_and_base(folder: RunFolder, data_file: str | Path | None) -> tuple[SharedRows, dict[str, Any]]:
    """The rows of a sweep's networks, and the settings that all share.

    Raises:
        TreinoError: the data is gone.
    """
    data = data_of(folder, data_file)
    source = source_of(folder, data, data_file)
    base = recorded_settings(folder, read_sweep_spec(folder).base, source)
    return SharedRows(source, data, shared_settings(base), OF_MEMBERS, folder), base
