# expect: scheduler_misuse @ 59
# allowed: scheduler_misuse @ 82
"""One-day-ahead air temperature from two weeks of daily weather (stacked LSTM + plateau schedule)."""
import copy

import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(1)

SEQ_LEN = 14


def weather(n_days, rng):
    day = np.arange(n_days)
    season = 12 - 11 * np.cos(2 * np.pi * day / 365)
    front = np.zeros(n_days)
    pressure = np.zeros(n_days)
    for i in range(2, n_days):
        pressure[i] = 0.8 * pressure[i - 1] + rng.normal(0, 1)
        front[i] = 0.6 * front[i - 1] + 1.5 * np.tanh(pressure[i - 1] * pressure[i - 2]) + rng.normal(0, 0.4)
    temp = season + 2.0 * front
    wind = np.abs(rng.normal(4, 2, n_days)) + 0.5 * np.abs(pressure)
    return np.stack([temp, pressure, wind], axis=1)


class TempLSTM(nn.Module):
    def __init__(self, n_features=3, hidden=32):
        super().__init__()
        self.lstm = nn.LSTM(n_features, hidden, num_layers=2, batch_first=True)
        self.fc = nn.Linear(hidden, 1)

    def forward(self, x):
        out, _ = self.lstm(x)
        return self.fc(out[:, -1, :])


data = weather(2500, np.random.default_rng(1))
n_train, n_val = 1750, 375
mu, sd = data[:n_train].mean(axis=0), data[:n_train].std(axis=0)
data = ((data - mu) / sd).astype(np.float32)


def windows(block):
    x = np.stack([block[i:i + SEQ_LEN] for i in range(len(block) - SEQ_LEN)])
    return TensorDataset(torch.from_numpy(x), torch.from_numpy(block[SEQ_LEN:, :1].copy()))


train_set = windows(data[:n_train])
val_set = windows(data[n_train:n_train + n_val])
test_set = windows(data[n_train + n_val:])
train_loader = DataLoader(train_set, batch_size=32, shuffle=True)

model = TempLSTM()
criterion = nn.MSELoss()
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, mode="max", factor=0.1, patience=1)


def evaluate(dataset):
    model.eval()
    x, y = dataset.tensors
    with torch.no_grad():
        return criterion(model(x), y).item()


best_val, best_weights = float("inf"), None
for epoch in range(1, 21):
    model.train()
    total = 0.0
    for xb, yb in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        total += loss.item() * xb.size(0)

    val_loss = evaluate(val_set)
    scheduler.step(val_loss)
    if val_loss < best_val:
        best_val = val_loss
        best_weights = copy.deepcopy(model.state_dict())
    lr = optimizer.param_groups[0]["lr"]
    print(f"Epoch {epoch:2d}  train {total / len(train_set):.4f}  val {val_loss:.4f}  lr {lr:.1e}")

model.load_state_dict(best_weights)
print(f"test RMSE: {evaluate(test_set) ** 0.5 * sd[0]:.3f} °C")
