"""A sweep and a study, asked for by keywords alone: options, settings and place."""

from collections.abc import Iterator
from typing import Any

from treino.settings.options import StudyOptions, SweepOptions, read_options
from treino.training.loop import JobEvent
from treino.training.sweeps import study, sweep
from treino.training.sweeps.request import StudyRequest, SweepRequest


def sweep_events(source: Any, space: Any, **asked: Any) -> Iterator[JobEvent]:
    return sweep.sweep_events(SweepRequest(source, space=space, **_parts(SweepOptions, asked)))


def study_events(source: Any, **asked: Any) -> Iterator[JobEvent]:
    return study.study_events(StudyRequest(source, **_parts(StudyOptions, asked)))


def _parts(table: type[Any], asked: dict[str, Any]) -> dict[str, Any]:
    """The options, the settings with the folder's place among them, and the rest."""
    options = {name: asked.pop(name) for name in table.model_fields if name in asked}
    place = {name: asked.pop(name) for name in ("name", "out") if name in asked}
    settings = {**asked.get("settings", {}), **place}
    return asked | {"options": read_options(table, options), "settings": settings}
