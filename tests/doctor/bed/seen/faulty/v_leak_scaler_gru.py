# expect: scaler_leakage @ 22
"""Daily sales forecasting: sliding windows over a growing series, GRU predicts the next day."""
import numpy as np
import pandas as pd
import torch
import torch.nn as nn
from sklearn.preprocessing import MinMaxScaler
from torch.utils.data import DataLoader, TensorDataset

np.random.seed(1)
torch.manual_seed(1)

dates = pd.date_range("2021-01-01", periods=700, freq="D")
t = np.arange(len(dates))
sales = 100 * np.exp(t / 450) * (1 + 0.15 * np.sin(2 * np.pi * t / 7)) + np.random.normal(0, 5, len(t))
df = pd.DataFrame({"date": dates, "sales": sales})

LOOKBACK = 14
split = int(len(df) * 0.75)

scaler = MinMaxScaler()
scaled = scaler.fit_transform(df[["sales"]].values).astype("float32")


def windows(values):
    xs = [values[i:i + LOOKBACK] for i in range(len(values) - LOOKBACK)]
    return torch.from_numpy(np.stack(xs)), torch.from_numpy(values[LOOKBACK:])


X_train, y_train = windows(scaled[:split])
X_test, y_test = windows(scaled[split - LOOKBACK:])
loader = DataLoader(TensorDataset(X_train, y_train), batch_size=32, shuffle=True)


class SalesGRU(nn.Module):
    def __init__(self, hidden=24):
        super().__init__()
        self.gru = nn.GRU(1, hidden, batch_first=True)
        self.fc = nn.Linear(hidden, 1)

    def forward(self, x):
        out, _ = self.gru(x)
        return self.fc(out[:, -1])


model = SalesGRU()
criterion = nn.MSELoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
for epoch in range(25):
    model.train()
    losses = []
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    if (epoch + 1) % 5 == 0:
        print(f"epoch {epoch + 1} mse {np.mean(losses):.5f}")

model.eval()
with torch.no_grad():
    pred = scaler.inverse_transform(model(X_test).numpy())
true = scaler.inverse_transform(y_test.numpy())
print(f"test MAE: {np.abs(pred - true).mean():.2f}  MAPE: {100 * np.mean(np.abs(pred - true) / true):.1f}%")
