"""A sweep and a study, asked for by keywords alone: options, settings and place."""

from collections.abc import Iterator
from typing import Any

from treino.settings.options import StudyOptions, SweepOptions, read_options
from treino.training.loop import JobEvent
from treino.training.sweeps import study, sweep
from treino.training.sweeps.request import StudyRequest, SweepRequest


def sweep_events(source: Any, space: Any, **asked: Any) -> Iterator[JobEvent]:
    """The events of a sweep."""
    options, asked = _options(SweepOptions, asked)
    return sweep.sweep_events(SweepRequest(source, space=space, options=options, **asked))


def study_events(source: Any, **asked: Any) -> Iterator[JobEvent]:
    """The events of a study."""
    options, asked = _options(StudyOptions, asked)
    return study.study_events(StudyRequest(source, options=options, **asked))


def _options(table: type[Any], asked: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """The options, and the rest with the folder's place among the settings."""
    options = {name: asked.pop(name) for name in table.model_fields if name in asked}
    place = {name: asked.pop(name) for name in ("name", "out") if name in asked}
    return read_options(table, options), asked | {"settings": {**asked.get("settings", {}), **place}}
