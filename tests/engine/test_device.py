"""Every tensor is created on the device of the training."""

import numpy as np
import pytest
import torch
from oracles import FLOAT64, sample
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from treino.data import load
from treino.engine import ACTIVATIONS, OPTIMIZERS, mlp, train
from treino.engine.nets import cnn

DEVICES = ["cuda"] * torch.cuda.is_available() + ["mps"] * torch.backends.mps.is_available()
X, Y = sample(rows=33)
TARGETS = {"cross_entropy": Y, "bce": Y % 2, "mse": X[:, :2], "l1": X[:, :2], "huber": X[:, :2]}

pytestmark = pytest.mark.skipif(not DEVICES, reason="needs a GPU")


def losses(device, y=Y, net=None, **arguments):
    net = net or mlp(8, 6, dropout=0.2)
    data = ((X, y), (X[:9], y[:9]))
    training = train(
        data, net, steps=45, batch_size=10, lr=0.005, clip=1.0, device=device, seeds=(0,), **arguments
    )
    found = torch.cat([tick.loss_SP for tick in training])
    assert training.state.population.params.device.type == torch.device(device).type
    assert training.net()(X).device.type == "cpu"
    second = train(
        data, net, steps=45, batch_size=10, lr=0.005, clip=1.0, device=device, seeds=(0,), **arguments
    )
    second.load(*training.save())
    return found


@pytest.mark.parametrize("engine", FLOAT64)
@pytest.mark.parametrize("device", DEVICES)
def test_a_device_trains_the_same_network(device, engine):
    for optimizer in OPTIMIZERS:
        wanted = losses("cpu", engine=engine, optimizer=optimizer)
        torch.testing.assert_close(
            losses(device, engine=engine, optimizer=optimizer), wanted, rtol=2e-3, atol=2e-3
        )
    for loss, y in TARGETS.items():
        wanted = losses("cpu", y=y, engine=engine, loss=loss)
        torch.testing.assert_close(
            losses(device, y=y, engine=engine, loss=loss), wanted, rtol=2e-3, atol=2e-3
        )
    for activation in ACTIVATIONS:
        net = mlp(8, activation=activation)
        wanted = losses("cpu", net=net, engine=engine)
        torch.testing.assert_close(losses(device, net=net, engine=engine), wanted, rtol=2e-3, atol=2e-3)


@pytest.mark.parametrize("device", DEVICES)
def test_an_own_module_trains_there(device):
    def net():
        return nn.Sequential(nn.Linear(5, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, 3))

    torch.testing.assert_close(losses(device, net=net), losses("cpu", net=net), rtol=2e-3, atol=2e-3)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("norm", [{"group_norm": 2}, {"batch_norm": True}])
def test_a_convolutional_network_trains_there(device, norm):
    pictures = torch.randn(33, 2, 9, 8, generator=torch.Generator().manual_seed(1))
    net = cnn(4, 6, hidden=[8], blocks=1, kernel=[5, 3], pool=["average", "max"], dropout=0.2, **norm)
    found = []
    for place in ("cpu", device):
        training = train(
            (pictures, Y), net, steps=45, batch_size=10, lr=0.005, device=place, seeds=(0,), threads=1
        )
        found.append(torch.cat([tick.loss_SP for tick in training]))
        assert training.state.population.params.device.type == torch.device(place).type
        assert training.net()(pictures).shape == (33, 3)
    torch.testing.assert_close(*found, rtol=2e-3, atol=2e-3)


@pytest.mark.parametrize("device", DEVICES)
def test_rows_that_are_elsewhere_train_there(device, tmp_path):
    array = np.memmap(tmp_path / "x", np.float32, "w+", shape=tuple(X.shape))
    array[:] = X.numpy()
    loader = DataLoader(TensorDataset(X, Y), batch_size=10)
    for data in (((array, Y), (array, Y)), load((loader, loader))):
        found = []
        for place in ("cpu", device):
            training = train(data, mlp(8, 6), steps=45, batch_size=10, lr=0.005, device=place, seeds=(0,))
            found.append(torch.cat([tick.loss_SP for tick in training]))
            assert training.state.population.params.device.type == torch.device(place).type
        torch.testing.assert_close(*found, rtol=2e-3, atol=2e-3)
