"""The ``state`` of a run's page: everything about the run except its curves and frames."""

from collections.abc import Mapping, Sequence
from typing import Any

from treino.engine.activations import ACTIVATIONS
from treino.engine.carry_over import unread
from treino.engine.losses import LOSSES
from treino.engine.optim import OPTIMIZERS
from treino.engine.schedules import SCHEDULES
from treino.inspection.boundary import columns_with_an_axis
from treino.records.segments import (
    Segment,
    epoch_count,
    path_of,
    segments_of,
    setting_commands,
    shown_settings,
)
from treino.records.stored_run import StoredRun
from treino.spec import FAULTS
from treino.training.replay import Snapshot
from treino.training.run_log import faulty_from
from treino.words import _

FINDING = ("rule", "severity", "certain", "message", "why", "fix")
MOST_FEATURES = 200  # names in a list to choose from


def run_state(run: StoredRun) -> dict[str, Any]:
    """The state that depends only on the run's documents."""
    spec = run.spec
    facts, data = spec.facts, run.data
    settings = shown_settings(spec, spec.resolved.model_dump(mode="json"))
    segments = {segment.number: segment for segment in segments_of(spec)}
    axes = [data.features[j] for j in columns_with_an_axis(data)] if data.kind != "image" else []
    return {
        "kind": "run",
        "name": run.name,
        "path": str(run.path),
        "status": run.status,
        "planned_steps": planned_steps(run),
        "steps_per_epoch": spec.steps_per_epoch,
        "data": {
            "name": spec.data.name,
            "kind": data.kind,
            "task": data.task,
            "features": list(data.features[:MOST_FEATURES]),
            "axes": axes[:MOST_FEATURES],
            "classes": list(data.classes),
            "target": data.target,
            "rows": {split: len(rows) for split, rows in data.splits.items()},
            "decisions": [*facts.notes, *facts.reasons],
        },
        "settings": settings,
        "choices": {
            "optimizer": list(OPTIMIZERS),
            "activation": list(ACTIVATIONS),
            "schedule": list(SCHEDULES),
            "batch_size": batch_sizes(len(data.train)),
            "loss": losses(settings["loss"]),
            "live": live_settings(settings, spec.net == "mlp"),
        },
        "network": {
            "own": spec.net != "mlp",
            "parameters": facts.parameters,
            "hidden": settings.get("hidden"),
            "growth": spec.net == "mlp" and not settings.get("batch_norm"),
        },
        "segments": [
            {
                "number": s.number,
                "origin": list(s.origin) if s.origin else None,
                "text": changed_text(s, segments[s.origin[0]]) if s.origin else segment_text(s.changes),
            }
            for s in segments.values()
        ],
        "marks": marks(run),
        "findings": findings(run),
        "metrics": run.metrics if run.result is not None else None,
        "command": spec.command,
        "unseen": [],
    }


def planned_steps(run: StoredRun) -> int:
    """Steps that are planned for the newest segment."""
    resolved = run.spec.resolved
    if resolved.steps is not None:
        return resolved.steps
    return epoch_count(run.spec).end_of(resolved.epochs or 1)


def batch_sizes(rows: int) -> list[int | str]:
    """The batch sizes to choose from."""
    usual = [1, 4, 8, 16, 32, 64, 100, 128, 256, 512, 1024]
    return [*(size for size in usual if size < rows), "full"]


def losses(now: str) -> list[str]:
    """The losses that can replace this one: of the same task, with as many outputs."""
    kind = LOSSES[now]
    return [n for n, other in LOSSES.items() if (other.task, other.outputs) == (kind.task, kind.outputs)]


def live_settings(settings: dict[str, Any], own_layers: bool) -> list[str]:
    """The settings of this run that can change from one step to the next."""
    reads = OPTIMIZERS[settings["optimizer"]].reads
    names = ["lr", "weight_decay", "clip"]
    if "momentum" in reads:
        names.append("momentum")
    if "betas" in reads:
        names += ["beta1", "beta2"]
    if own_layers and settings.get("dropout"):
        names.append("dropout")
    if settings.get("ema"):
        names.append("ema")
    return names


def segment_text(changes: Any) -> str:
    """Changes as a short text: ``lr 0.01 · batch_size 64 · hidden 8,6``."""
    return " · ".join(f"{name} {_typed(value)}" for name, value in dict(changes).items())


def changed_text(segment: Segment, before: Segment) -> str:
    """The changes of a segment, without settings that its optimizer doesn't read."""
    meaningless = unread(segment.optimizer)
    return segment_text({k: v for k, v in segment.changed_from(before).items() if k not in meaningless})


def _typed(value: Any) -> str:
    """A value as typed on a command line."""
    if isinstance(value, list | tuple):
        return ",".join(map(str, value)) or _("none")
    return _("none") if value is None else str(value)


def marks(run: StoredRun) -> list[dict[str, Any]]:
    """All changes on the run's path, each with its step."""
    every: list[dict[str, Any]] = []
    path, commands = path_of(run.spec), setting_commands(run.folder)
    for before, link in zip([None, *path], path, strict=False):
        segment = link.segment
        if before is not None:
            text = changed_text(segment, before.segment)
            every.append({"segment": segment.number, "step": segment.start, "text": text})
        for command in commands:
            if command.segment != segment.number:
                continue
            step = command.step or 0
            if step >= segment.start and (link.stop is None or step <= link.stop):
                text = segment_text({command.name: command.value})
                every.append({"segment": segment.number, "step": step, "text": text})
    return joined_marks(every)


def joined_marks(every: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Join changes at the same step into one mark; the last change of a setting counts."""
    by_step: dict[tuple[int, int], dict[str, str]] = {}
    for mark in every:
        texts = by_step.setdefault((mark["segment"], mark["step"]), {})
        for text in mark["text"].split(" · "):
            texts[text.split(" ")[0]] = text
    return [
        {"segment": segment, "step": step, "text": " · ".join(texts.values())}
        for (segment, step), texts in by_step.items()
    ]


def findings(
    run: StoredRun, seen: Sequence[dict[str, Any]] = (), first_seen: Mapping[str, int] | None = None
) -> list[dict[str, Any]]:
    """The doctor's findings: during the training those known before it and those ``seen`` on the way; at the
    end all. first_seen: the step at which each rule's finding appeared."""
    known = [{name: getattr(each, name) for name in FINDING} for each in run.facts.findings]
    steps = dict(first_seen or {}) | {rule: faulty_from(run.spec) for rule in FAULTS}
    rules = {each["rule"] for each in seen}
    return [
        {name: each[name] for name in FINDING} | {"step": steps.get(each["rule"])}
        for each in [*seen, *(each for each in known if each["rule"] not in rules)]
    ]


def settings_at(run: StoredRun, snapshot: Snapshot) -> dict[str, Any]:
    """The settings in force at a step, by their names: those of its segment."""
    settings = {**run.spec.resolved.model_dump(mode="json"), **snapshot.settings}
    hp = {name: value for name, value in snapshot.hp.items() if name != "eps"}
    clip = hp.pop("clip")
    return {**settings, **hp, "clip": None if clip == float("inf") else clip}
