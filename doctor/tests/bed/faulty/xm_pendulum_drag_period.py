# expect: target_broadcast @ 53
# allowed: target_broadcast @ 34
# allowed: target_broadcast @ 71
# mend: 53 →             loss = log_cosh(model(xb).squeeze(1), yb)
"""Learn the period of a damped pendulum from its length, start angle, mass and drag."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

HIDDEN = 48
LR = 4e-3
N_EPOCHS = 30
torch.manual_seed(13)


def sample_pendulums(n, rng):
    length = rng.uniform(0.2, 2.5, n)
    theta0 = rng.uniform(0.05, 2.4, n)
    mass = rng.uniform(0.1, 1.5, n)
    drag = rng.uniform(0.0, 0.25, n)
    small = 2 * np.pi * np.sqrt(length / 9.81)
    k2 = np.sin(theta0 / 2) ** 2
    series = 1 + k2 / 4 + 9 * k2 ** 2 / 64 + 25 * k2 ** 3 / 256
    gamma = drag / (2 * mass)
    omega2 = np.clip((2 * np.pi / (small * series)) ** 2 - gamma ** 2, 0.5, None)
    period = 2 * np.pi / np.sqrt(omega2) + rng.normal(0, 0.01, n)
    inputs = np.column_stack([length, theta0, mass, drag])
    return inputs.astype("float32"), period.astype("float32")


def log_cosh(prediction, target):
    """Smooth version of the absolute error."""
    diff = prediction - target
    return torch.mean(diff + nn.functional.softplus(-2 * diff) - np.log(2.0))


def build():
    return nn.Sequential(
        nn.Linear(4, HIDDEN), nn.SiLU(),
        nn.Linear(HIDDEN, HIDDEN), nn.SiLU(),
        nn.Linear(HIDDEN, 1),
    )


def fit(model, loader):
    opt = torch.optim.AdamW(model.parameters(), lr=LR, weight_decay=1e-4)
    sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, T_max=N_EPOCHS)
    for epoch in range(1, N_EPOCHS + 1):
        seen, total = 0, 0.0
        for xb, yb in loader:
            opt.zero_grad()
            loss = log_cosh(model(xb), yb)
            loss.backward()
            opt.step()
            total += loss.item() * len(xb)
            seen += len(xb)
        sched.step()
        if epoch % 10 == 0:
            print(f"epoch {epoch:3d}  log-cosh {total / seen:.5f}")


def main():
    x_fit, t_fit = sample_pendulums(1280, np.random.default_rng(0))
    x_new, t_new = sample_pendulums(400, np.random.default_rng(1))
    x_mean, x_std = x_fit.mean(0), x_fit.std(0)
    t_mean, t_std = t_fit.mean(), t_fit.std()

    train = TensorDataset(
        torch.from_numpy((x_fit - x_mean) / x_std),
        torch.from_numpy((t_fit - t_mean) / t_std),
    )
    model = build()
    fit(model, DataLoader(train, batch_size=64, shuffle=True))

    with torch.no_grad():
        z = model(torch.from_numpy((x_new - x_mean) / x_std)).numpy().ravel()
    guess = z * t_std + t_mean
    print(f"held-out: mean abs error {np.abs(guess - t_new).mean():.4f} s, "
          f"correlation {np.corrcoef(guess, t_new)[0, 1]:.4f}")
    for row, g, t in list(zip(x_new, guess, t_new))[:4]:
        print(f"  length {row[0]:.2f} m, angle {row[1]:.2f} rad: {g:.3f} s (measured {t:.3f} s)")


if __name__ == "__main__":
    main()
