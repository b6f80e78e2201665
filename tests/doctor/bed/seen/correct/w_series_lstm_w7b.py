# expect: nothing
"""Temperature forecast with an LSTM that carries its hidden state along the year; the last part of the series is for the test."""
import numpy as np
import pandas as pd
import torch
from torch import nn


def station(days=1600, seed=2):
    rng = np.random.default_rng(seed)
    index = pd.date_range("2018-01-01", periods=days, freq="D")
    cycle = 9 * np.sin(2 * np.pi * (np.arange(days) - 100) / 365.25)
    weather = np.zeros(days)
    for t in range(1, days):
        weather[t] = 0.8 * weather[t - 1] + rng.normal(0, 1.6)
    return pd.Series(10 + cycle + weather, index=index)


def prepare(series, test_days=365):
    train, test = series.iloc[:-test_days], series.iloc[-test_days:]
    mean, std = train.mean(), train.std()
    scale = lambda part: torch.tensor(((part - mean) / std).to_numpy(), dtype=torch.float32)
    return scale(train), scale(test), float(std)


class Model(nn.Module):
    def __init__(self, hidden=24):
        super().__init__()
        self.lstm = nn.LSTM(1, hidden, batch_first=True)
        self.head = nn.Linear(hidden, 1)

    def forward(self, x, state=None):
        out, state = self.lstm(x.unsqueeze(-1), state)
        return x + self.head(out).squeeze(-1), state


def lanes(series, count):
    """Cuts the series into equally long stretches that are read side by side."""
    length = len(series) // count
    return series[: length * count].reshape(count, length)


def train(model, series, epochs=15, count=8, steps=22):
    grid = lanes(series, count)
    optimizer = torch.optim.Adam(model.parameters(), lr=6e-3)
    for epoch in range(epochs):
        model.train()
        state, total, chunks = None, 0.0, 0
        for start in range(0, grid.shape[1] - 1, steps):
            stop = min(start + steps, grid.shape[1] - 1)
            x, y = grid[:, start:stop], grid[:, start + 1:stop + 1]
            if state is not None:
                state = tuple(part.detach() for part in state)
            guess, state = model(x, state)
            loss = nn.functional.mse_loss(guess, y)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            total, chunks = total + loss.item(), chunks + 1
        if epoch % 5 == 4:
            print(f"epoch {epoch + 1}: mse {total / chunks:.4f}")


@torch.no_grad()
def evaluate(model, past, future, std):
    model.eval()
    _, state = model(past[None, :-1])
    guess, _ = model(torch.cat([past[-1:], future[:-1]])[None], state)
    naive = torch.cat([past[-1:], future[:-1]])
    rmse = lambda a: (a - future).square().mean().sqrt().item() * std
    return rmse(guess[0]), rmse(naive)


if __name__ == "__main__":
    torch.manual_seed(2)
    past, future, std = prepare(station())
    model = Model()
    train(model, past)
    ours, naive = evaluate(model, past, future, std)
    print(f"test rmse {ours:.3f} degrees, yesterday's value {naive:.3f}")
