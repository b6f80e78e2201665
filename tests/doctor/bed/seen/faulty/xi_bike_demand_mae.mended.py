# expect: nothing
import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

SEED = 17
torch.manual_seed(SEED)
rng = np.random.default_rng(SEED)

# hourly rentals: hour of the day, temperature, wind, holiday flag
N = 1600
hour = rng.integers(0, 24, N)
temp = rng.normal(15, 8, N)
wind = rng.gamma(2.0, 4.0, N)
holiday = (rng.random(N) < 0.3).astype(float)
demand = (120 + 80 * np.sin((hour - 7) / 24 * 2 * np.pi) + 4 * temp - 2 * wind
          - 30 * holiday + rng.normal(0, 10, N))
feats = np.stack([np.sin(hour / 24 * 2 * np.pi), np.cos(hour / 24 * 2 * np.pi),
                  temp, wind, holiday], axis=1)

X = torch.tensor(feats, dtype=torch.float32)
y = torch.tensor(demand, dtype=torch.float32)
perm = torch.randperm(N)
tr, te = perm[:1200], perm[1200:]
mu, sd = X[tr].mean(0), X[tr].std(0)
X = (X - mu) / sd
y_mu, y_sd = y[tr].mean(), y[tr].std()

train_dl = DataLoader(TensorDataset(X[tr], ((y[tr] - y_mu) / y_sd).unsqueeze(1)), batch_size=40, shuffle=True)
test_dl = DataLoader(TensorDataset(X[te], y[te]), batch_size=100)

net = nn.Sequential(nn.Linear(5, 48), nn.ReLU(), nn.Linear(48, 48), nn.ReLU(), nn.Linear(48, 1))
opt = torch.optim.AdamW(net.parameters(), lr=3e-3, weight_decay=1e-4)
crit = nn.MSELoss()

for epoch in range(25):
    net.train()
    tot = 0.0
    for xb, yb in train_dl:
        opt.zero_grad(set_to_none=True)
        loss = crit(net(xb), yb)
        loss.backward()
        opt.step()
        tot += loss.item() * xb.size(0)
    if (epoch + 1) % 5 == 0:
        print(f"epoch {epoch + 1:02d} mse (scaled) {tot / len(tr):.4f}")

net.eval()
abs_err, sq_err, batches = 0.0, 0.0, 0
with torch.no_grad():
    for xb, yb in test_dl:
        pred = net(xb).squeeze(1) * y_sd + y_mu
        abs_err += (pred - yb).abs().mean().item()
        sq_err += ((pred - yb) ** 2).mean().item()
        batches += 1

rmse = (sq_err / batches) ** 0.5
print(f"test MAE {abs_err / batches:.2f} bikes, RMSE {rmse:.2f} bikes")
print(f"spread of the demand: {y_sd.item():.2f}")
