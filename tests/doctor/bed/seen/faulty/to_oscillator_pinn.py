# expect: detached_graph @ 41
"""Inverse problem: the damping of an oscillator from noisy readings, by a physics-informed network."""
import math

import numpy as np
import torch
from torch import nn

OMEGA, TRUE_GAMMA, T_END = 4.0, 0.35, 3.0


def displacement(t):
    w = math.sqrt(OMEGA ** 2 - TRUE_GAMMA ** 2)
    return np.exp(-TRUE_GAMMA * t) * np.cos(w * t)


class OscillatorPINN(nn.Module):
    """u(t) by a small MLP; the damping coefficient is learned along with it."""

    def __init__(self, hidden=32):
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(1, hidden), nn.Tanh(),
            nn.Linear(hidden, hidden), nn.Tanh(),
            nn.Linear(hidden, 1),
        )
        self.log_gamma = nn.Parameter(torch.tensor(0.0))

    @property
    def gamma(self):
        return self.log_gamma.exp()

    def forward(self, t):
        return self.net(2.0 * t / T_END - 1.0)

    def residual(self, t):
        t = t.clone().requires_grad_(True)
        u = self(t)
        du = torch.autograd.grad(u.sum(), t, create_graph=True)[0]
        ddu = torch.autograd.grad(du.sum(), t, create_graph=True)[0]
        return ddu + 2.0 * self.gamma.item() * du + OMEGA ** 2 * u


def main():
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    t_all = rng.uniform(0.0, T_END, size=120)
    u_all = displacement(t_all) + rng.normal(0.0, 0.02, size=120)
    t_all = torch.tensor(t_all, dtype=torch.float32).unsqueeze(1)
    u_all = torch.tensor(u_all, dtype=torch.float32).unsqueeze(1)
    t_train, u_train, t_test, u_test = t_all[:80], u_all[:80], t_all[80:], u_all[80:]
    collocation = torch.linspace(0.0, T_END, 64).unsqueeze(1)

    model = OscillatorPINN()
    optimizer = torch.optim.Adam([
        {"params": model.net.parameters(), "lr": 5e-3},
        {"params": [model.log_gamma], "lr": 2e-2},
    ])
    steps = 600
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=steps)

    for step in range(1, steps + 1):
        optimizer.zero_grad()
        data_loss = (model(t_train) - u_train).square().mean()
        physics_loss = model.residual(collocation).square().mean() / OMEGA ** 4
        loss = data_loss + 0.1 * physics_loss
        loss.backward()
        optimizer.step()
        schedule.step()
        if step % 200 == 0:
            print(f"step {step}  data {data_loss.item():.5f}  physics {physics_loss.item():.5f}  "
                  f"gamma {model.gamma.item():.3f}")

    model.eval()
    with torch.no_grad():
        rmse = (model(t_test) - u_test).square().mean().sqrt().item()
    print(f"held-out RMSE {rmse:.4f}   gamma {model.gamma.item():.3f} (true {TRUE_GAMMA})")


if __name__ == "__main__":
    main()
