"""The settings of one network that several networks can't have, by what these are trained for."""

from treino.base.errors import Refusal
from treino.settings.spec import OF_DATA, OF_PLACE, Rules, Settings

TIME_LIMIT_OF_MANY = Refusal(
    "[[time_limit]] is of one training, and several networks are trained here, each by itself.",
    "Leave it out; a sweep has [[max_time]] for all of them together.",
)
EVERY_OF_SEVERAL = Refusal(
    "Keyframes are of one network, and here several are trained.",
    "Leave [[every]] out, or train one network with it.",
)
THRESHOLD_OF_SEVERAL = Refusal(
    "[[threshold]] is found for one network, and [[seeds]] and [[folds]] train several.",
    "Leave one of them out.",
)
REFIT_OF_SEVERAL = Refusal(
    "[[refit]] trains the network that predicts, and [[seeds]] and [[folds]] compare several.",
    "Leave it out here; then train one network with it.",
)
REFIT_OF_ENSEMBLE = Refusal(
    "[[refit]] trains a sweep's winner again, and with [[ensemble={n}]] others answer beside it.",
    "Leave one of them out.",
)
ENSEMBLE_OF_MANY = Refusal(
    "Several networks are trained here, each by itself; [[ensemble]] makes one run of several.",
    (
        "Find the settings without it, then train with them: treino train DATA "
        "[[ensemble={n}]]. A sweep's best networks answer together by: treino predict SWEEP [[top=8]]"
    ),
)

OF_SEVERAL: Rules = (
    (TIME_LIMIT_OF_MANY, lambda s: s.time_limit is not None),
    (EVERY_OF_SEVERAL, lambda s: s.every is not None),
)
OF_REPEATS: Rules = (
    *OF_SEVERAL,
    (THRESHOLD_OF_SEVERAL, lambda s: s.threshold is not None),
    (REFIT_OF_SEVERAL, lambda s: s.refit),
)
"""For the same settings with several seeds or folds."""
OF_COMPARED: Rules = ((ENSEMBLE_OF_MANY, lambda s: s.ensemble > 1 and {"n": s.ensemble}),)
"""For networks of which the best is chosen, or that are timed side by side."""

COMPARED = ("normalise", "features")
"""Data settings that a search space may vary, because they don't change the rows of the splits."""

OF_MEMBERS = *COMPARED, "fold"
"""Data settings in which the members of a sweep may differ."""

OF_ALL = (
    *(*OF_PLACE, "device", "engine", "precision", "threads"),
    *("metric", "baselines", "threshold", "refit", "coverage", "every", "ensemble"),
)
"""Settings that all members share: where a sweep runs, what it keeps and how it is judged."""

VARIED = [name for name in Settings.model_fields if name not in {*OF_DATA, *OF_ALL} - {*COMPARED}]
"""Settings that a search space may vary."""
