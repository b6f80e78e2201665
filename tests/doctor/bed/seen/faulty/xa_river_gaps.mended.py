# expect: nothing
"""River level, next-day forecast from the last two weeks (GRU).  Stations drop out now and then."""
import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

LOOKBACK = 14


def fetch_readings(seed=0):
    """Raw log as the station sends it: some days are simply not there."""
    rng = np.random.default_rng(seed)
    days = pd.date_range("2021-01-01", periods=730, freq="D")
    rain = rng.gamma(0.6, 4.0, len(days))
    level = np.zeros(len(days))
    for i in range(1, len(days)):
        level[i] = 0.85 * level[i - 1] + 0.1 * rain[i - 1] + 0.05 * rng.normal()
    log = pd.DataFrame({"rain": rain, "level": level}, index=days)
    return log.drop(index=log.index[rng.choice(np.arange(30, len(log)), 12, replace=False)])


def regular_days(log):
    """One row per calendar day; a missing day repeats the last known one."""
    return log.asfreq("D").ffill()


def split_by_time(table, share=0.75):
    cut = int(len(table) * share)
    return table.iloc[:cut], table.iloc[cut:]


def windows(table, stats):
    mean, std = stats
    z = ((table - mean) / std).to_numpy(dtype=np.float32)
    xs = np.stack([z[i:i + LOOKBACK] for i in range(len(z) - LOOKBACK)])
    ys = z[LOOKBACK:, [table.columns.get_loc("level")]]
    return TensorDataset(torch.from_numpy(xs), torch.from_numpy(ys))


class LevelGRU(nn.Module):
    def __init__(self, n_in=2, hidden=16):
        super().__init__()
        self.gru = nn.GRU(n_in, hidden, batch_first=True)
        self.head = nn.Linear(hidden, 1)

    def forward(self, x):
        _, h = self.gru(x)
        return self.head(h.squeeze(0))


def train(model, data, epochs=10, lr=5e-3):
    opt = torch.optim.Adam(model.parameters(), lr=lr)
    loader = DataLoader(data, batch_size=32, shuffle=True)
    for epoch in range(epochs):
        model.train()
        running = 0.0
        for x, y in loader:
            opt.zero_grad()
            loss = nn.functional.smooth_l1_loss(model(x), y)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            opt.step()
            running += loss.item() * len(x)
        print(f"epoch {epoch + 1}: train loss {running / len(data):.4f}")


def evaluate(model, data):
    model.eval()
    with torch.no_grad():
        x, y = data.tensors
        model_mae = (model(x) - y).abs().mean()
        naive_mae = (x[:, -1, 1:] - y).abs().mean()
    return model_mae.item(), naive_mae.item()


def main():
    torch.manual_seed(0)
    table = regular_days(fetch_readings())
    past, future = split_by_time(table)
    stats = past.mean(), past.std()
    model = LevelGRU()
    train(model, windows(past, stats))
    mae, naive = evaluate(model, windows(future, stats))
    print(f"test MAE {mae:.3f} (persistence {naive:.3f})")


if __name__ == "__main__":
    main()
