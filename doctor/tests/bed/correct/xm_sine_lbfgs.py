# expect: nothing
"""Sine wave continuation with two stacked LSTM cells, trained with LBFGS on whole series."""
import argparse

import numpy as np
import torch
import torch.nn as nn
import torch.optim as optim


def generate(n_series, length, period, seed):
    rng = np.random.default_rng(seed)
    start = rng.integers(-4 * period, 4 * period, (n_series, 1))
    grid = np.arange(length)[None, :] + start
    return np.sin(grid / period)


class Sequence(nn.Module):
    def __init__(self, hidden=24):
        super().__init__()
        self.hidden = hidden
        self.lstm1 = nn.LSTMCell(1, hidden)
        self.lstm2 = nn.LSTMCell(hidden, hidden)
        self.linear = nn.Linear(hidden, 1)

    def forward(self, series, future=0):
        outputs = []
        zeros = torch.zeros(series.size(0), self.hidden, dtype=series.dtype)
        h1, c1, h2, c2 = zeros, zeros, zeros, zeros
        for x_t in series.split(1, dim=1):
            h1, c1 = self.lstm1(x_t, (h1, c1))
            h2, c2 = self.lstm2(h1, (h2, c2))
            out = self.linear(h2)
            outputs.append(out)
        for _ in range(future):
            h1, c1 = self.lstm1(out, (h1, c1))
            h2, c2 = self.lstm2(h1, (h2, c2))
            out = self.linear(h2)
            outputs.append(out)
        return torch.cat(outputs, dim=1)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=6, help="steps to run")
    opt = parser.parse_args()

    torch.manual_seed(0)
    data = torch.from_numpy(generate(24, 60, period=6, seed=0))
    inputs, target = data[3:, :-1], data[3:, 1:]
    test_inputs, test_target = data[:3, :-1], data[:3, 1:]

    seq = Sequence().double()
    criterion = nn.MSELoss()
    optimizer = optim.LBFGS(seq.parameters(), lr=0.8, max_iter=10)

    for i in range(opt.steps):

        def closure():
            optimizer.zero_grad()
            out = seq(inputs)
            loss = criterion(out, target)
            loss.backward()
            return loss

        first = optimizer.step(closure)
        with torch.no_grad():
            future = 20
            pred = seq(test_inputs, future=future)
            test_loss = criterion(pred[:, :-future], test_target)
        print(f"STEP {i}: loss {first.item():.6f}  test loss {test_loss.item():.6f}")

    print("continuation:", " ".join(f"{v:+.2f}" for v in pred[0, -future:-future + 8].tolist()))
