# expect: nothing
"""Pandas pipeline: hourly load with lag and rolling features, chronological split, small MLP."""
import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def load_frame(hours=1500):
    rng = np.random.default_rng(12)
    t = pd.date_range("2021-01-01", periods=hours, freq="h")
    load = 10 + 3 * np.sin(2 * np.pi * t.hour / 24) + 1.5 * (t.day_of_week < 5) + rng.normal(0, 0.3, hours)
    return pd.DataFrame({"load": np.asarray(load)}, index=t)


def add_features(df):
    df = df.copy()
    df["hour_sin"] = np.sin(2 * np.pi * df.index.hour / 24)
    df["hour_cos"] = np.cos(2 * np.pi * df.index.hour / 24)
    for k in (1, 2, 24):
        df[f"lag_{k}"] = df["load"].shift(k)
    df["mean_24"] = df["load"].shift(1).rolling(24).mean()
    return df.dropna()


frame = add_features(load_frame())
cut = int(len(frame) * 0.8)
train_df, test_df = frame.iloc[:cut], frame.iloc[cut:]
columns = [c for c in frame.columns if c != "load"]
mean, std = train_df.mean(), train_df.std()


def tensors(df):
    z = (df - mean) / std
    x = torch.tensor(z[columns].to_numpy(), dtype=torch.float32)
    y = torch.tensor(z["load"].to_numpy(), dtype=torch.float32)
    return TensorDataset(x, y)


torch.manual_seed(4)
train_loader = DataLoader(tensors(train_df), batch_size=64, shuffle=True)
x_test, y_test = tensors(test_df).tensors
model = nn.Sequential(nn.Linear(len(columns), 32), nn.ReLU(), nn.Linear(32, 1))
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
for epoch in range(20):
    model.train()
    epoch_loss = 0.0
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(x).squeeze(1), y)
        loss.backward()
        optimizer.step()
        epoch_loss += loss.item() * len(x)
    if epoch % 5 == 4:
        model.eval()
        with torch.no_grad():
            mae = (model(x_test).squeeze(1) - y_test).abs().mean().item() * std["load"]
        print(f"epoch {epoch} loss {epoch_loss / len(train_df):.4f} test MAE {mae:.3f} MW")
