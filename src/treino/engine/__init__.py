"""The engine: a training of P networks side by side; a single network is the case P = 1."""

from treino.engine.activations import ACTIVATIONS
from treino.engine.bags import Bags
from treino.engine.init import INITS
from treino.engine.kernels import KERNELS
from treino.engine.kernels.selection import engines
from treino.engine.losses import LOSSES, Loss
from treino.engine.metrics import METRICS, measure
from treino.engine.nets import CNN, MLP, Net, cnn, mlp
from treino.engine.optim import HP, OPTIMIZERS
from treino.engine.population import Population
from treino.engine.schedules import SCHEDULES
from treino.engine.tick import Epoch, PopulationView, Tick
from treino.engine.train_config import DEFAULTS, TrainConfig, config_of
from treino.engine.training_loop import TrainingLoop, train
from treino.engine.training_state import TrainingState

__all__ = [
    "ACTIVATIONS",
    "CNN",
    "DEFAULTS",
    "HP",
    "INITS",
    "KERNELS",
    "LOSSES",
    "METRICS",
    "MLP",
    "OPTIMIZERS",
    "SCHEDULES",
    "Bags",
    "Epoch",
    "Loss",
    "Net",
    "Population",
    "PopulationView",
    "Tick",
    "TrainConfig",
    "TrainingLoop",
    "TrainingState",
    "cnn",
    "config_of",
    "engines",
    "measure",
    "mlp",
    "train",
]
