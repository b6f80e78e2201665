# expect: nothing
"""Next-week sales of many shops with a shared GRU; gradients are clipped, the weights follow SGD with momentum."""
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.nn.utils import clip_grad_norm_


@dataclass
class Options:
    shops: int = 40
    weeks: int = 90
    window: int = 12
    hidden: int = 24
    epochs: int = 10
    batch: int = 64
    lr: float = 0.1
    momentum: float = 0.9
    clip: float = 1.0
    seed: int = 33


def simulate(opt):
    rng = np.random.default_rng(opt.seed)
    t = np.arange(opt.weeks)
    phase = rng.uniform(0, 2 * np.pi, (opt.shops, 1))
    wave = np.sin(2 * np.pi * t / 13 + phase) + 0.5 * np.sin(2 * np.pi * t / 6.5 + 2 * phase)
    return 50 + 12 * wave + rng.normal(0, 2.5, wave.shape)


def windows(block, size):
    view = np.lib.stride_tricks.sliding_window_view(block, size + 1, axis=1).reshape(-1, size + 1)
    view = torch.tensor(view.copy(), dtype=torch.float32)
    return view[:, :-1, None], view[:, -1]


class Forecaster(nn.Module):
    def __init__(self, hidden):
        super().__init__()
        self.gru = nn.GRU(1, hidden, batch_first=True)
        self.out = nn.Linear(hidden, 1)

    def forward(self, x):
        _, last = self.gru(x)
        return self.out(last[0]).squeeze(1)


def main(opt):
    torch.manual_seed(opt.seed)
    sales = simulate(opt)
    cut = int(opt.weeks * 0.75)
    mean, std = sales[:, :cut].mean(), sales[:, :cut].std()
    scaled = (sales - mean) / std
    x, y = windows(scaled[:, :cut], opt.window)
    x_test, y_test = windows(scaled[:, cut:], opt.window)

    model = Forecaster(opt.hidden)
    optimizer = torch.optim.SGD(model.parameters(), lr=opt.lr, momentum=opt.momentum)
    for epoch in range(opt.epochs):
        model.train()
        total = 0.0
        for rows in torch.randperm(len(x)).split(opt.batch):
            optimizer.zero_grad()
            loss = nn.functional.mse_loss(model(x[rows]), y[rows])
            loss.backward()
            clip_grad_norm_(model.parameters(), opt.clip)
            optimizer.step()
            total += loss.item() * len(rows)
        if epoch % 3 == 0:
            print(f"epoch {epoch}: train mse {total / len(x):.4f}")

    model.eval()
    with torch.no_grad():
        error = (model(x_test) - y_test).pow(2).mean().sqrt().item()
    print(f"test rmse {error * std:.2f} pieces, spread {y_test.std().item() * std:.2f}")


if __name__ == "__main__":
    main(Options())
