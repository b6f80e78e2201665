"""Fixtures of the inspection tests: small data sets and small trained networks."""

from collections.abc import Callable

import pytest
import torch
from torch import nn

from treino.data import Data, load

Trainer = Callable[..., nn.Sequential]


@pytest.fixture(scope="session")
def trainer() -> Trainer:
    """train(data, outputs=None, steps=60): a plain torch loop, so that nothing here leans on the engine."""

    def train(data: Data, outputs: int | None = None, steps: int = 60, dropout: float = 0.0) -> nn.Sequential:
        with torch.random.fork_rng():
            torch.manual_seed(0)
            net = nn.Sequential(
                nn.Linear(data.inputs, 16),
                nn.Tanh(),
                nn.Dropout(dropout),
                nn.Linear(16, outputs or len(data.classes) or 1),
            )
            optimizer = torch.optim.Adam(net.parameters(), lr=0.05)
            for _step in range(steps):
                out, y = net(data.train.x), data.train.y
                if not data.classes:
                    loss = nn.functional.mse_loss(out, y)
                elif outputs == 1:
                    loss = nn.functional.binary_cross_entropy_with_logits(out[:, 0], y.float())
                else:
                    loss = nn.functional.cross_entropy(out, y)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
        return net

    return train


@pytest.fixture(scope="session")
def wine2() -> Data:
    return load("wine", features=["alcohol", "color_intensity"])


@pytest.fixture(scope="session")
def iris() -> Data:
    return load("iris")


@pytest.fixture(scope="session")
def moons() -> Data:
    return load("moons")


@pytest.fixture(scope="session")
def diabetes() -> Data:
    return load("diabetes")
