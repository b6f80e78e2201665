# expect: nothing

import numpy as np
import pandas as pd
import torch
import torch.nn as nn
from sklearn.preprocessing import StandardScaler
from torch.utils.data import DataLoader, TensorDataset

SEED = 42
np.random.seed(SEED)
torch.manual_seed(SEED)

# ---- data -------------------------------------------------------------
days = pd.date_range("2021-01-01", periods=700)
sales = (200 + 40 * np.sin(2 * np.pi * days.day_of_week / 7) + 30 * np.sin(2 * np.pi * days.day_of_year / 365)
         + np.random.normal(0, 6, len(days)))
df = pd.DataFrame({"date": days, "sales": sales})
df["dow_sin"] = np.sin(2 * np.pi * df.date.dt.day_of_week / 7)
df["dow_cos"] = np.cos(2 * np.pi * df.date.dt.day_of_week / 7)

train, valid, test = df.iloc[:500], df.iloc[500:600], df.iloc[600:]
scaler = StandardScaler().fit(train[["sales"]].values)


def windows(part, width=14):
    s = scaler.transform(part[["sales"]].values)
    f = np.hstack([s, part[["dow_sin", "dow_cos"]].values]).astype(np.float32)
    X = np.stack([f[i:i + width] for i in range(len(f) - width)])
    y = f[width:, 0]
    return torch.from_numpy(X), torch.from_numpy(y)


train_loader = DataLoader(TensorDataset(*windows(train)), batch_size=32, shuffle=True)
valid_loader = DataLoader(TensorDataset(*windows(valid)), batch_size=64)
test_loader = DataLoader(TensorDataset(*windows(test)), batch_size=64)


# ---- model ------------------------------------------------------------
class SalesLSTM(nn.Module):
    def __init__(self, n_features=3, hidden=24):
        super().__init__()
        self.lstm = nn.LSTM(n_features, hidden, batch_first=True)
        self.dropout = nn.Dropout(0.1)
        self.fc = nn.Linear(hidden, 1)

    def forward(self, x):
        out, _ = self.lstm(x)
        return self.fc(self.dropout(out[:, -1])).squeeze(1)


def rmse(model, loader):
    model.eval()
    se, n = 0.0, 0
    with torch.no_grad():
        for x, y in loader:
            se += ((model(x) - y) ** 2).sum().item()
            n += len(y)
    return (se / n) ** 0.5 * float(scaler.scale_[0])


# ---- training ---------------------------------------------------------
model = SalesLSTM()
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, mode="min", factor=0.5, patience=3)
best, best_state = float("inf"), None

for epoch in range(15):
    model.train()
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(x), y)
        loss.backward()
        optimizer.step()
    score = rmse(model, valid_loader)
    scheduler.step(score)
    if score < best:
        best = score
        best_state = {k: v.clone() for k, v in model.state_dict().items()}
    if epoch % 3 == 2:
        print(f"epoch {epoch + 1}: valid rmse {score:.2f}")

model.load_state_dict(best_state)
print(f"best valid {best:.2f}   test rmse {rmse(model, test_loader):.2f}")
