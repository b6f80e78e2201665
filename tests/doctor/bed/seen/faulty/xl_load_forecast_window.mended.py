# expect: nothing
"""Hour-ahead load forecast from the last 48 hours, feed-forward network on windows."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

SEED = 17
rng = np.random.default_rng(SEED)
torch.manual_seed(SEED)

LOOKBACK = 48
HOURS = 24 * 150


def make_load(hours):
    t = np.arange(hours)
    daily = 8 * np.sin(2 * np.pi * t / 24 - 1.2) + 3 * np.sin(4 * np.pi * t / 24)
    weekly = np.where((t // 24) % 7 < 5, 4.0, -4.0)
    noise = np.zeros(hours)
    for k in range(1, hours):
        noise[k] = 0.8 * noise[k - 1] + rng.normal(0, 0.8)
    return 50 + daily + weekly + noise


def windows(series):
    x = np.lib.stride_tricks.sliding_window_view(series, LOOKBACK + 1)
    x = torch.tensor(x.copy(), dtype=torch.float32)
    return x[:, :-1], x[:, -1:]


def init_weights(m):
    if isinstance(m, nn.Linear):
        nn.init.normal_(m.weight, std=0.02)
        nn.init.zeros_(m.bias)


load = make_load(HOURS)
cut = int(0.8 * HOURS)
mu, sd = load[:cut].mean(), load[:cut].std()
scaled = (load - mu) / sd
x_train, y_train = windows(scaled[:cut])
x_test, y_test = windows(scaled[cut:])

net = nn.Sequential(
    nn.Linear(LOOKBACK, 64), nn.ReLU(),
    nn.Linear(64, 64), nn.ReLU(),
    nn.Linear(64, 1),
)
net.apply(init_weights)
loss_fn = nn.MSELoss()
opt = torch.optim.Adam(net.parameters(), lr=1e-3)
loader = DataLoader(TensorDataset(x_train, y_train), batch_size=64, shuffle=True)

for epoch in range(10):
    net.train()
    seen = 0.0
    for xb, yb in loader:
        loss = loss_fn(net(xb), yb)
        opt.zero_grad()
        loss.backward()
        opt.step()
        seen += loss.item() * len(xb)
    print(f"epoch {epoch + 1:2d}  train mse {seen / len(x_train):.4f}")

net.eval()
with torch.no_grad():
    err = (net(x_test) - y_test) * sd
    naive = (x_test[:, -1:] - y_test) * sd
print(f"test rmse {err.pow(2).mean().sqrt().item():.3f}")
print(f"rmse of 'same as last hour' {naive.pow(2).mean().sqrt().item():.3f}")
