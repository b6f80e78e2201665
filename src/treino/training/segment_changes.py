"""Changes of settings that a run may go on with, and the segment that they make."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from treino.engine import HP, OPTIMIZERS
from treino.engine.carry_over import unread
from treino.engine.hyperparameters import checked_numbers
from treino.engine.optim import BETAS
from treino.engine.value_checks import known
from treino.errors import TreinoError, nearest
from treino.records.segments import Segment, segments_of
from treino.records.stored_run import StoredRun
from treino.spec import OF_SOME, Settings, group_of, read_settings
from treino.training.replay import Snapshot
from treino.words import _

LENGTH = ("epochs", "steps", "patience", "keep", "schedule", "warmup")
ORDER = ("batch_size", "shuffle", "seed", "data_seed")
OPTIMIZER = ("optimizer", "nesterov")
LOSS = ("loss", "label_smoothing", "fault", "as_taught")
NETWORK = ("hidden", "activation")
CHANGEABLE = (*LENGTH, *ORDER, *OPTIMIZER, *LOSS, *NETWORK)
"""Settings beside the engine's hyper-parameters that may change on the way."""


def next_segment(snapshot: Snapshot, changes: Mapping[str, Any]) -> Segment:
    """The run's next segment, which starts from the snapshot with these changes.

    Raises:
        TreinoError: a setting that can't change on the way, or a value out of range.
    """
    segments = segments_of(snapshot.run.spec)
    before = next(s for s in segments if s.number == snapshot.segment)
    hp, settings = _parted(changes, before, snapshot)
    segment = replace(
        before,
        number=segments[-1].number + 1,
        origin=(snapshot.segment, snapshot.step),
        asked=settings,
        changes=hp,
        order_seed=_order_seed(changes, before),
        output_change=None,
    )
    hidden = read_settings(settings).hidden
    layers = "hidden" in changes and len(hidden or ()) != len(snapshot.settings["hidden"])
    if layers or segment.optimizer != before.optimizer:
        segment = replace(segment, optimizer_from=snapshot.step)
    return _with_passes(segment, snapshot)


def _parted(
    changes: Mapping[str, Any], before: Segment, snapshot: Snapshot
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The changes of hyper-parameters, by the engine's names, and the settings with all other changes."""
    rest, run = dict(changes), snapshot.run
    hp: dict[str, Any] = {}
    if "betas" in rest:
        hp["beta1"], hp["beta2"] = read_settings({"betas": rest.pop("betas")}).betas or BETAS
    for name in list(rest):
        if name in HP:
            value = rest.pop(name)
            if name in Settings.model_fields:
                hp[name] = getattr(read_settings({name: value}), name)
            else:
                (hp[name],) = checked_numbers(name, value, 1)
        elif name not in CHANGEABLE or name in _fixed(run):
            refuse(name, run)
    settings = dict(before.asked)
    if rest.keys() & {"epochs", "steps"}:
        settings = {k: v for k, v in settings.items() if k not in ("epochs", "steps")}
        settings |= {
            "patience": snapshot.settings["patience"]
        }  # its default depends on whether the length is set
    if rest.get("keep") == "best" and snapshot.settings["keep"] == "last":
        raise TreinoError(
            "branch_keep",
            _(
                "{run} kept no best weights on its way, so there is nothing to compare later ones with."
            ).format(run=run.name),
            _("Leave keep out, or train anew with keep='best'."),
        )
    settings |= read_settings({**rest}).model_dump(mode="json", include=set(rest))
    for one, other in (("fault", "as_taught"), ("as_taught", "fault")):
        if one in rest and other not in rest:
            settings.pop(other, None)
    if hp.get("dropout") and run.spec.net == "mlp" and not settings.get("dropout"):
        settings["dropout"] = hp["dropout"]  # the network has no dropout layers yet
    if hp.get("ema") and not settings.get("ema"):
        settings["ema"] = hp["ema"]  # the training keeps no average yet
    if rest.keys() & set(OPTIMIZER):
        _take_optimizer(settings, rest, hp, snapshot)
    read_settings(settings)
    return hp, settings


def _take_optimizer(
    settings: dict[str, Any], changes: Mapping[str, Any], hp: dict[str, Any], snapshot: Snapshot
) -> None:
    """Remove settings that the optimizer doesn't read, and set the momentum in force for Nesterov's, which
    needs one."""
    name = known("optimizer", read_settings(settings).optimizer, OPTIMIZERS)
    for setting in OF_SOME:
        if setting not in OPTIMIZERS[name].reads and setting not in changes:
            settings.pop(setting, None)
    for each in unread(name):
        if snapshot.hp[each] != HP[each]:
            hp.setdefault(each, HP[each])
    momentum = hp.get("momentum", snapshot.hp["momentum"])
    if settings.get("nesterov") and momentum:
        settings["momentum"] = momentum


def _order_seed(changes: Mapping[str, Any], before: Segment) -> int | None:
    """The seed of the row order, if it isn't the data's: a changed ``data_seed``, else a changed ``seed``."""
    seed = changes.get("data_seed")
    if seed is None and "data_seed" not in before.asked:
        seed = changes.get("seed")
    return before.order_seed if seed is None else read_settings({"data_seed": seed}).data_seed


def _with_passes(segment: Segment, snapshot: Snapshot) -> Segment:
    """The segment with its count of epochs: another batch size or row order begins a new epoch at its first
    step."""
    plan, settings = snapshot.plan, read_settings(segment.asked)
    size = settings.batch_size
    rows = plan.batch_size if size is None else None if size == "full" else min(size, plan.rows)
    seed = snapshot.data.data_seed if segment.order_seed is None else segment.order_seed
    if (rows, settings.shuffle, seed) == (plan.batch_size, plan.shuffle, plan.data_seed):
        return segment
    per = 1 if rows is None else -(-plan.rows // rows)
    return replace(segment, passes_from=snapshot.step, steps_per_epoch=per)


def _fixed(run: StoredRun) -> tuple[str, ...]:
    """Settings of the network that can't change in this run."""
    if run.spec.net != "mlp":
        return NETWORK
    return ("hidden",) if run.spec.resolved.batch_norm else ()  # its means are of the units that there are


def refuse(name: str, run: StoredRun) -> None:
    """Refuse a setting that can't change in a run.

    Raises:
        TreinoError: always, with the reason.
    """
    names = sorted({*HP, "betas", *CHANGEABLE} - {"beta1", "beta2", *_fixed(run)})
    if name not in Settings.model_fields:
        raise TreinoError(
            "unknown_setting", _("There is no setting {name}.").format(name=name), nearest(name, names)
        )
    why = {
        "Data": _("the rows are the run's own"),
        "Network": _("its weights would not fit"),
        "Loss and optimizer": _("its state would not fit"),
        "Training loop": _("its steps and batches would be others"),
        "Machine": _("its bits would be others"),
        "Run": _("it belongs to a whole run"),
    }[group_of(name)]
    raise TreinoError(
        "branch_setting",
        _("{name} can't change on the way of {run}: {why}.").format(name=name, run=run.name, why=why),
        _("What can: {names}.").format(names=", ".join(names)),
    )
