# expect: nan_inputs @ 25
"""Next-day river discharge from rain, temperature and the last week's flow (blog companion script)."""
import numpy as np
import pandas as pd
import torch
from torch import nn


def load_gauge(days=900, seed=8):
    """Daily records of a made-up catchment: many dry days, storms, snow melt in spring."""
    rng = np.random.default_rng(seed)
    date = pd.date_range("2019-01-01", periods=days, freq="D")
    season = 2 * np.pi * date.day_of_year.to_numpy() / 365.25
    temp = 9 - 9 * np.cos(season) + rng.normal(0, 2.5, days)
    rain = np.where(rng.random(days) < 0.35, rng.gamma(1.6, 6.0, days), 0.0).round(1)
    flow = np.empty(days)
    flow[0] = 12.0
    for d in range(1, days):
        flow[d] = 1.5 + 0.82 * flow[d - 1] + 0.35 * rain[d - 1] + rng.normal(0, 0.3)
    return pd.DataFrame({"temp_c": temp, "rain_mm": rain, "flow": flow.clip(0.5)}, index=date)


def build_features(gauge):
    frame = pd.DataFrame(index=gauge.index)
    frame["rain_log"] = np.log(gauge["rain_mm"])
    frame["rain_week"] = gauge["rain_mm"].rolling(7).mean()
    frame["temp"] = gauge["temp_c"]
    for lag in range(4):
        frame[f"flow_lag{lag}"] = np.log(gauge["flow"].shift(lag))
    frame["month_sin"] = np.sin(2 * np.pi * gauge.index.day_of_year / 365.25)
    frame["target"] = np.log(gauge["flow"].shift(-1))
    return frame.dropna()


frame = build_features(load_gauge())
cut = int(len(frame) * 0.8)
train, test = frame.iloc[:cut], frame.iloc[cut:]

mean, std = train.mean(), train.std()
scaled_train, scaled_test = (train - mean) / std, (test - mean) / std

inputs = [c for c in frame.columns if c != "target"]
X_train = torch.tensor(scaled_train[inputs].to_numpy(), dtype=torch.float32)
y_train = torch.tensor(scaled_train["target"].to_numpy(), dtype=torch.float32)
X_test = torch.tensor(scaled_test[inputs].to_numpy(), dtype=torch.float32)

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(len(inputs), 32), nn.SiLU(), nn.Linear(32, 16), nn.SiLU(), nn.Linear(16, 1))
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
loss_fn = nn.SmoothL1Loss()

for epoch in range(40):
    order = torch.randperm(len(X_train))
    epoch_loss = 0.0
    for idx in order.split(64):
        optimizer.zero_grad()
        loss = loss_fn(model(X_train[idx]).squeeze(-1), y_train[idx])
        loss.backward()
        optimizer.step()
        epoch_loss += loss.item() * len(idx)
    if epoch % 10 == 9:
        print(f"epoch {epoch + 1}: loss {epoch_loss / len(X_train):.4f}")

model.eval()
with torch.no_grad():
    log_flow = model(X_test).squeeze(-1).numpy() * std["target"] + mean["target"]
truth = np.exp(test["target"].to_numpy())
mae = np.abs(np.exp(log_flow) - truth).mean()
persistence = np.abs(np.exp(test["flow_lag0"].to_numpy()) - truth).mean()
print(f"test MAE {mae:.3f} m3/s, persistence {persistence:.3f} m3/s")
