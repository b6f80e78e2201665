# expect: nothing
"""Three sensor readings from eight inputs, errors by NumPy."""
import numpy as np
import torch
from torch import nn

SENSORS = ["left", "middle", "right"]
rng = np.random.default_rng(0)
x = rng.normal(size=(600, 8)).astype(np.float32)
y = (np.tanh(x @ rng.normal(size=(8, 3))) + 0.1 * rng.normal(size=(600, 3))).astype(np.float32)
xt, yt = torch.from_numpy(x), torch.from_numpy(y)


def predict(net, rows):
    net.eval()
    with torch.no_grad():
        return net(rows).numpy()


def mean_errors(said, true):
    gap = np.abs(said - true)
    return gap.mean(axis=0)


torch.manual_seed(0)
net = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 3))
opt = torch.optim.Adam(net.parameters(), lr=3e-3)
for epoch in range(20):
    for idx in torch.randperm(450).split(50):
        opt.zero_grad()
        loss = nn.functional.mse_loss(net(xt[idx]), yt[idx])
        loss.backward()
        opt.step()
said = predict(net, xt[450:])
for sensor, error in zip(SENSORS, mean_errors(said, y[450:])):
    print(f"{sensor:7s} mean error {error:.3f}")
