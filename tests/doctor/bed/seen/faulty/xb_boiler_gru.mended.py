# expect: nothing
"""Boiler efficiency from 12 readings of four gauges in their physical units."""
import math
from typing import NamedTuple

import torch
import torch.nn as nn


class Readings(NamedTuple):
    gauges: torch.Tensor      # [N, T, 4]: pressure (Pa), temperature (K), flow (kg/h), valve (0..1)
    efficiency: torch.Tensor  # [N, 1], percent


def simulate(n, generator, steps=12):
    z = torch.randn(n, steps, 4, generator=generator).cumsum(1) / math.sqrt(steps)
    pressure = 1.01e6 + 4.0e4 * z[..., 0]
    temperature = 455.0 + 6.0 * z[..., 1]
    flow = 2500.0 + 180.0 * z[..., 2]
    valve = torch.sigmoid(z[..., 3])
    signal = z[:, -4:, 0].mean(1) - 0.8 * z[:, -4:, 1].mean(1) + 0.7 * z[:, :6, 2].mean(1)
    noise = 0.15 * torch.randn(n, generator=generator)
    efficiency = 86 + 3 * (torch.tanh(signal) + valve[:, -1] + noise)
    return Readings(torch.stack([pressure, temperature, flow, valve], -1), efficiency.unsqueeze(1))


class Affine(nn.Module):
    """Fixed shift and scale, stored with the model."""

    def __init__(self, shift, scale):
        super().__init__()
        self.register_buffer("shift", shift)
        self.register_buffer("scale", scale)

    def forward(self, x):
        return (x - self.shift) / self.scale

    def inverse(self, x):
        return x * self.scale + self.shift


class EfficiencyNet(nn.Module):
    def __init__(self, example: Readings, hidden=32):
        super().__init__()
        x, y = example
        self.norm_in = Affine(x.mean((0, 1)), x.std((0, 1)))
        self.norm_out = Affine(y.mean(0), y.std(0))
        self.gru = nn.GRU(x.size(-1), hidden, batch_first=True)
        self.head = nn.Linear(hidden, 1)

    def forward(self, gauges):
        states, _ = self.gru(self.norm_in(gauges))
        return self.head(states[:, -1])

    def training_step(self, gauges, efficiency):
        return nn.functional.mse_loss(self(gauges), self.norm_out(efficiency))

    @torch.no_grad()
    def predict(self, gauges):
        self.eval()
        return self.norm_out.inverse(self(gauges))


def minibatches(data, size, generator):
    order = torch.randperm(len(data.gauges), generator=generator)
    for rows in order.split(size):
        yield Readings(data.gauges[rows], data.efficiency[rows])


def train(model, data, epochs, generator):
    optimizer = torch.optim.Adam(model.parameters(), lr=6e-3)
    for epoch in range(epochs):
        model.train()
        losses = []
        for batch in minibatches(data, 40, generator):
            loss = model.training_step(*batch)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        print(f"epoch {epoch:2d}  scaled mse {sum(losses) / len(losses):.4f}")


def main():
    torch.manual_seed(9)
    g = torch.Generator().manual_seed(90)
    train_data, test_data = simulate(600, g), simulate(200, g)
    model = EfficiencyNet(train_data)
    train(model, train_data, epochs=10, generator=g)
    error = (model.predict(test_data.gauges) - test_data.efficiency).abs().mean().item()
    naive = (test_data.efficiency - train_data.efficiency.mean()).abs().mean().item()
    print(f"test MAE {error:.3f} points (always the mean: {naive:.3f})")


if __name__ == "__main__":
    main()
