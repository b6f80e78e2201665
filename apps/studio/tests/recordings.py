"""Messages of real treino runs for a studio's page: state, rows, curves, a frame at each recorded step."""

import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import treino
from treino.inspection.unit_responses import UnitDiagram, insides
from treino.reports.explanation import explain
from treino.training.replay import Snapshot, snapshots

Part = tuple[str, NDArray[Any]]


@dataclass
class Recording:
    """What a fake studio shows of a run. frames: {step: binary message without its number}."""

    name: str
    state: dict[str, Any]
    points: dict[str, Any]
    curves: dict[str, Any]
    frames: dict[int, tuple[dict[str, Any], list[Part]]] = field(default_factory=dict)
    explanation: dict[str, Any] = field(default_factory=dict)


def message(header: dict[str, Any], parts: Sequence[Part]) -> bytes:
    """A binary message as apps/studio/docs/studio-protocol.md describes it."""
    types = {"uint8": "u1", "uint16": "u2", "uint32": "u4", "float32": "f4"}
    listed = [{"name": n, "type": types[a.dtype.name], "shape": list(a.shape)} for n, a in parts]
    text = json.dumps({**header, "parts": listed}).encode()
    out = struct.pack("<I", len(text)) + text
    out += b" " * (-len(out) % 8)
    for _name, array in parts:
        data = np.ascontiguousarray(array).tobytes()
        out += data + b"\0" * (-len(data) % 8)
    return out


def record(source: str, steps: Sequence[int], parent: Path, **settings: Any) -> Recording:
    """Train, and look at the run after each of these steps."""
    run = treino.fit(source, parent=parent, **settings)
    recording: Recording | None = None
    for snapshot in snapshots(run, steps):
        seen = insides(snapshot.net, snapshot.data, resolution=32, item_shape=None)
        if recording is None:
            recording = Recording(run.name, _state(run, snapshot), _points(seen, snapshot), _curves(run))
        recording.frames[snapshot.step] = _frame(run, snapshot, seen)
    assert recording is not None
    recording.state["last_step"] = max(steps)
    topic = run.spec.resolved.optimizer
    recording.explanation = explain(topic, run, step=2).document
    return recording


def _state(run: Any, snapshot: Snapshot) -> dict[str, Any]:
    data, spec = snapshot.data, run.spec
    settings = {**spec.resolved.model_dump(mode="json"), "beta1": 0.9, "beta2": 0.999}
    return {
        "kind": "run",
        "name": run.name,
        "path": str(run.path),
        "status": "running",
        "steers": True,
        "viewers": 1,
        "can_steer": True,
        "letter": "A",
        "playing": False,
        "steps_per_second": 60,
        "segment": 0,
        "last_step": 0,
        "planned_steps": 800,
        "steps_per_epoch": spec.steps_per_epoch,
        "view": {"step": None, "axes": None, "unit": None},
        "data": {
            "name": spec.data.name,
            "kind": data.kind,
            "task": data.task,
            "features": list(data.features)[:200],
            "axes": list(data.features)[:200],
            "classes": list(data.classes),
            "target": data.target,
            "rows": {split: len(rows) for split, rows in data.splits.items()},
            "decisions": [*spec.facts.notes, *spec.facts.reasons],
        },
        "settings": settings,
        "choices": {
            "optimizer": ["sgd", "adam", "adamw"],
            "schedule": ["constant", "cosine", "linear"],
            "activation": ["relu", "tanh", "sigmoid"],
            "batch_size": [1, 16, 32, 64, "full"],
            "live": ["lr", "weight_decay", "clip", "dropout", "beta1", "beta2"],
        },
        "network": {
            "parameters": spec.facts.parameters,
            "hidden": settings["hidden"],
            "fixed": None,
        },
        "segments": [{"number": 0, "origin": None, "text": ""}],
        "marks": [],
        "findings": [],
        "beside": [],
        "metrics": None,
        "command": spec.command,
        "unseen": [],
    }


def _points(seen: UnitDiagram, snapshot: Snapshot) -> dict[str, Any]:
    sight = seen.sight
    line = len(seen.y_R) == 1
    return {
        "axes": list(sight.axis_names),
        "view": sight.view,
        "held": [list(h) for h in sight.held],
        "variance": sight.variance,
        "low": [float(seen.x_R[0]), float(seen.y_R[0])],
        "high": [float(seen.x_R[-1]), float(seen.y_R[-1])],
        "rows": [
            {
                "split": p.split,
                "x": p.at_NK[:, 0].tolist(),
                "y": [] if line else p.at_NK[:, 1].tolist(),
                "true": p.true_N.tolist(),
                "index": p.index_N.tolist(),
                "total": p.total,
            }
            for p in seen.points
        ],
    }


def _curves(run: Any) -> dict[str, Any]:
    per, losses = run.spec.steps_per_epoch, [float(v) for v in run.losses]
    epochs, document = [], run.document
    for epoch, validation in enumerate(document["loss"].get("validation", []), 1):
        entry: dict[str, Any] = {"epoch": epoch, "step": epoch * per, "train": {}, "validation": {}}
        entry["train"]["loss"] = document["loss"]["train"][epoch - 1]
        if validation is not None:
            entry["validation"]["loss"] = validation
            epochs.append(entry)
    vitals = [
        {"step": s, "gradient_norm": 0.3 + 0.2 * losses[s], "update_ratio": 0.01 * losses[s], "lr": 0.003}
        for s in range(0, len(losses), max(1, len(losses) // 120))
    ]
    return {"step": list(range(1, len(losses) + 1)), "loss": losses, "epochs": epochs, "vitals": vitals}


def _frame(run: Any, snapshot: Snapshot, seen: UnitDiagram) -> tuple[dict[str, Any], list[Part]]:
    data, parts = snapshot.data, list[Part]()
    header: dict[str, Any] = {
        "run": run.name,
        "segment": 0,
        "step": snapshot.step,
        "epoch": snapshot.step / run.spec.steps_per_epoch,
        "live": True,
        "time": 0.0,
        "loss": snapshot.loss,
        "gradient_norm": 0.167,
        "update_ratio": 0.0297,
        "lr": snapshot.hp["lr"],
        "evaluation": {},
        "beside": None,
    }
    _answers(header, parts, seen, data)
    for p in seen.points:
        parts.append((f"predicted.{p.split}", p.predicted_N.astype(np.float32)))
        if data.classes:
            header["evaluation"][p.split] = {
                "accuracy": float((p.true_N == p.predicted_N).mean()),
                "loss": snapshot.loss,
            }
        else:
            rmse = float(np.sqrt(np.mean((p.true_N - p.predicted_N) ** 2)))
            header["evaluation"][p.split] = {"rmse": rmse, "loss": snapshot.loss}
    if data.classes:
        header["right"] = {
            "splits": {
                p.split: {"rows": len(p), "right": int((p.true_N == p.predicted_N).sum())}
                for p in seen.points
            }
        }
        header["agreement"] = {"share": 0.87, "rows": 178}
    header["layers"] = []
    for k, stage in enumerate(seen.stages):
        header["layers"].append(
            {
                "name": stage.name,
                "what": stage.what,
                "total": stage.total,
                "units": stage.units_K.tolist(),
                "labels": list(stage.labels),
                "dead": stage.units_K[stage.dead_K].tolist(),
            }
        )
        parts.append((f"unit.{k}", _bytes(stage.seen_KRR)))
        for name, value in (("weight", stage.weight_KJ), ("bias", stage.bias_K)):
            if value is not None:
                parts.append((f"{name}.{k}", value.astype(np.float32)))
    return header, parts


def _answers(header: dict[str, Any], parts: list[Part], seen: UnitDiagram, data: Any) -> None:
    said = seen.said_RRC
    if len(seen.fine_y_R) == 1:
        header["shows"] = "line"
        parts += [("value", said[0].astype(np.float32)), ("x", seen.fine_x_R.astype(np.float32))]
    elif data.classes:
        header["shows"] = "plane"
        top = np.sort(said, axis=2)
        parts.append(
            ("winner", said.argmax(axis=2).astype(np.uint8 if len(data.classes) < 255 else np.uint16))
        )
        parts.append(("share", (255 * top[:, :, -1]).round().astype(np.uint8)))
        parts.append(("margin", (255 * np.sqrt(top[:, :, -1] - top[:, :, -2])).round().astype(np.uint8)))
    elif data.inputs == 2:
        header["shows"] = "surface"
        parts.append(("value", said[:, :, 0].astype(np.float32)))
    else:
        header["shows"] = "fit"


def _bytes(value_URR: NDArray[np.float64]) -> NDArray[np.uint8]:
    largest = np.abs(value_URR).max(axis=(1, 2), keepdims=True)
    scaled = 128 + 127 * value_URR / np.where(largest > 0, largest, 1.0)
    return np.asarray(scaled.round(), np.uint8)
