"""The state of a training, carried over into another training that goes on with other settings."""

from typing import Any

import numpy as np

from treino.engine.keyframes import keyframe_of_saved
from treino.engine.optim import HP, OPTIMIZERS
from treino.engine.population import Copies
from treino.engine.saved_state import SavedState, training_identity
from treino.engine.training_loop import Training

HP_OF = {"momentum": ("momentum",), "betas": ("beta1", "beta2"), "eps": ("eps",)}


def unread(optimizer: str) -> list[str]:
    """The hyper-parameters that the optimizer doesn't look at."""
    reads = OPTIMIZERS[optimizer].reads
    return [name for setting, names in HP_OF.items() if setting not in reads for name in names]


def carried_over(saved: SavedState, training: Training) -> tuple[Copies, dict[str, Any]]:
    """-> the arrays and figures of the keyframe from which ``training`` goes on with a state that another
    training saved.

    Of an optimizer of another name the state begins at zero; so does the best weights' figure where the loss
    is another.
    """
    arrays, meta = keyframe_of_saved(saved)
    before, now = saved[1]["identity"], training_identity(training.setup, training.state)
    population, best = training.state.population, training.state.best
    if before["optimizer"][0] != now["optimizer"][0]:
        arrays = {name: array for name, array in arrays.items() if not name.startswith("moment.")}
        arrays |= {f"moment.{i}": np.zeros_like(arrays["params"]) for i, _m in enumerate(population.moments)}
        meta["hp"] |= {name: HP[name][0] for name in unread(now["optimizer"][0])}
    if now["summed"] and not before["summed"]:
        arrays["grads"] = np.zeros_like(arrays["params"])
    if before["loss"] != now["loss"]:
        arrays |= {f"best.{name}": getattr(best, name).numpy() for name in ("params", "buffers")}
        meta["best"] = [float(best.metric_P[0]), -1]
    return arrays, meta
