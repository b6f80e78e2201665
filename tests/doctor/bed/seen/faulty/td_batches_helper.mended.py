# expect: nothing
"""Is it a pulsar?  Two made-up kinds of folded light curves, a 1-d convolution and our own batch iterator."""
from types import SimpleNamespace

import numpy as np
import torch
import torch.nn as nn

cfg = SimpleNamespace(seed=17, length=40, curves=900, epochs=8, batch_size=30, lr=2e-3)


def simulate(cfg):
    """A narrow pulse for pulsars, a broad hump for the rest; noise and a random phase for both."""
    rng = np.random.default_rng(cfg.seed)
    label = rng.permutation(np.arange(cfg.curves) % 2)
    phase = rng.uniform(0, cfg.length, cfg.curves)
    width = np.where(label == 1, rng.uniform(1.0, 2.5, cfg.curves), rng.uniform(3.0, 6.0, cfg.curves))
    distance = np.abs(np.arange(cfg.length)[None, :] - phase[:, None])
    distance = np.minimum(distance, cfg.length - distance)
    curve = np.exp(-0.5 * (distance / width[:, None]) ** 2) + rng.normal(0, 0.25, (cfg.curves, cfg.length))
    return curve.astype(np.float32), label.astype(np.int64)


def batches(x, y, cfg, rng):
    order = rng.permutation(len(x))
    for start in range(0, len(order), cfg.batch_size):
        chosen = order[start:start + cfg.batch_size]
        yield torch.from_numpy(x[chosen]).unsqueeze(1), torch.from_numpy(y[chosen])


class PulseNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv1d(1, 12, 7, padding=3, padding_mode="circular"), nn.ReLU(),
            nn.Conv1d(12, 12, 7, padding=3, padding_mode="circular"), nn.ReLU(),
        )
        self.head = nn.Linear(24, 2)

    def forward(self, x):
        maps = self.features(x)
        return self.head(torch.cat([maps.amax(dim=-1), maps.mean(dim=-1)], dim=1))


def main():
    torch.manual_seed(cfg.seed)
    curves, labels = simulate(cfg)
    cut = int(0.75 * cfg.curves)
    mean, std = curves[:cut].mean(), curves[:cut].std()
    curves = (curves - mean) / std
    x_train, y_train, x_test, y_test = curves[:cut], labels[:cut], curves[cut:], labels[cut:]

    model = PulseNet()
    optimizer = torch.optim.AdamW(model.parameters(), lr=cfg.lr)
    loss_fn = nn.CrossEntropyLoss()
    rng = np.random.default_rng(cfg.seed)
    for epoch in range(cfg.epochs):
        model.train()
        total = 0.0
        for xb, yb in batches(x_train, y_train, cfg, rng):
            loss = loss_fn(model(xb), yb)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(xb)
        print(f"epoch {epoch + 1}: train loss {total / cut:.4f}")

    model.eval()
    with torch.no_grad():
        guess = model(torch.from_numpy(x_test).unsqueeze(1)).argmax(1)
    accuracy = (guess == torch.from_numpy(y_test)).float().mean().item()
    print(f"test accuracy {accuracy:.3f}")


if __name__ == "__main__":
    main()
