# expect: nan_inputs @ 26
"""River level two days ahead from rainfall and weather: a pandas table of features and a small regression net."""
import numpy as np
import pandas as pd
import torch
from torch import nn


def weather(days=1500, seed=9):
    rng = np.random.default_rng(seed)
    season = np.sin(2 * np.pi * np.arange(days) / 365.25)
    wet = rng.random(days) < 0.45 + 0.1 * season
    rain = np.where(wet, rng.gamma(2.0, 4.0, days), 0.0).round(1)
    temp = 10 - 8 * season + rng.normal(0, 2, days)
    level = np.empty(days)
    store = 5.0
    for d in range(days):
        store = 0.8 * store + 0.25 * rain[d] - 0.02 * temp[d]
        level[d] = 1.5 + 0.2 * store + rng.normal(0, 0.05)
    return pd.DataFrame({"rain": rain, "temp": temp, "level": level, "season": season})


def features(frame):
    out = pd.DataFrame(index=frame.index)
    for lag in range(4):
        out[f"rain_{lag}"] = np.log(frame["rain"].shift(lag))
        out[f"level_{lag}"] = frame["level"].shift(lag)
    out["rain_week"] = frame["rain"].rolling(7).mean()
    out["temp"] = frame["temp"]
    out["season"] = frame["season"]
    out["goal"] = frame["level"].shift(-2)
    return out.dropna()


class Table:
    def __init__(self, frame, share=0.75):
        cut = int(share * len(frame))
        goal = frame.pop("goal")
        with np.errstate(all="ignore"):
            self.mean, self.std = frame[:cut].mean(), frame[:cut].std()
            scaled = ((frame - self.mean) / self.std).to_numpy(np.float32)
        self.goal_mean, self.goal_std = goal[:cut].mean(), goal[:cut].std()
        wanted = ((goal - self.goal_mean) / self.goal_std).to_numpy(np.float32)
        self.train = torch.from_numpy(scaled[:cut]), torch.from_numpy(wanted[:cut])
        self.test = torch.from_numpy(scaled[cut:]), torch.from_numpy(wanted[cut:])


def fit(table, epochs=25):
    x, y = table.train
    net = nn.Sequential(nn.Linear(x.shape[1], 32), nn.GELU(), nn.Linear(32, 1), nn.Flatten(0))
    optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
    for epoch in range(epochs):
        net.train()
        losses = []
        for ids in torch.randperm(len(x)).split(64):
            loss = nn.functional.mse_loss(net(x[ids]), y[ids])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        if (epoch + 1) % 5 == 0:
            print(f"epoch {epoch + 1:2d}  mse {np.mean(losses):.4f}")
    return net


def main():
    torch.manual_seed(30)
    np.seterr(divide="ignore")
    table = Table(features(weather()))
    net = fit(table)
    net.eval()
    with torch.no_grad():
        x, y = table.test
        miss = (net(x) - y).abs().mean().item() * table.goal_std
    print(f"mean error on the last quarter: {miss:.3f} m")


if __name__ == "__main__":
    main()
