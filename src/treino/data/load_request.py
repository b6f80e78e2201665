"""Hold the arguments of ``load``, in the form that a run's documents store."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from treino.data.preparation.encoders import BINS
from treino.data.readers.reader_options import ReaderOptions
from treino.data.split_requests import Split

Fit = Literal["crop", "pad", "stretch"]
Impute = Literal["median", "mean"]
InputForm = Literal["plain", "bins"]
_UNUSUAL = (
    *("kinds", "impute", "inputs", "bins", "clip_inputs", "target_means", "trees", "row_weights"),
    *("log_target", "image_size", "fit", "skip_bad", "labels", "class_pattern", "pictures"),
)


@dataclass(frozen=True)
class LoadRequest:
    """The arguments of ``load``; see there. files: the file or frame of each split that has one."""

    source: Any
    target: str | None = None
    features: Sequence[str] | None = None
    task: str | None = None
    split: Split = field(default_factory=Split)
    files: Mapping[str, Any] = field(default_factory=dict)
    normalise: bool = True
    kinds: Mapping[str, str] = field(default_factory=dict)
    impute: Impute = "median"
    inputs: InputForm = "plain"
    bins: int = BINS
    clip_inputs: float | None = None
    target_means: bool = False
    trees: int = 0
    log_target: bool | None = None
    row_weights: str | None = None
    reading: ReaderOptions | None = None
    image_size: tuple[int, int] | None = None
    fit: Fit = "crop"
    skip_bad: int = 0
    labels: str | None = None
    class_pattern: str | None = None
    pictures: bool = False

    def to_json(self) -> dict[str, Any]:
        """The arguments except the source; most are included only if they differ from their defaults."""
        split, features, usual = self.split, self.features, LoadRequest(None)
        shares = {name: getattr(split, name) for name in ("validation", "test")}
        unusual = {name: getattr(self, name) for name in _UNUSUAL}
        unusual = {name: value for name, value in unusual.items() if value != getattr(usual, name)}
        parts = {f"split_{by}": getattr(split, by) for by in ("group", "time", "column")}
        parts |= {"fold": split.fold and split.fold.text, "duplicates": split.duplicates}
        parts["reading"] = self.reading and self.reading.to_json()
        return {
            "target": self.target,
            "features": features if features is None or isinstance(features, str) else list(features),
            "task": self.task,
            **{name: None if name in self.files else share for name, share in shares.items()},
            "data_seed": split.data_seed,
            "normalise": self.normalise,
            **{name: list(value) if isinstance(value, tuple) else value for name, value in unusual.items()},
            **{name: value for name, value in parts.items() if value},
        }
