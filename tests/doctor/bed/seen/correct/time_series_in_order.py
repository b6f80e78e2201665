# expect: nothing
# looks suspicious: no shuffling anywhere and the test rows are the last ones: a time series, split by date;
# the scaler knows the past only and windows of the test start after the training ends.
import numpy as np
import torch
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
rng = np.random.default_rng(0)
t = np.arange(1400)
series = np.sin(2 * np.pi * t / 24) + 0.4 * np.sin(2 * np.pi * t / 168) + 0.1 * rng.standard_normal(1400)
series = 20 + 5 * series
cut, lag = 1100, 24
scaler = StandardScaler().fit(series[:cut, None])
z = scaler.transform(series[:, None])[:, 0].astype(np.float32)


def windows(part):
    view = np.lib.stride_tricks.sliding_window_view(part, lag + 1)
    return torch.tensor(view[:, :lag].copy()).unsqueeze(-1), torch.tensor(view[:, lag].copy())


train = DataLoader(TensorDataset(*windows(z[:cut])), batch_size=64, shuffle=False)
test_x, test_y = windows(z[cut:])


class Forecaster(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(1, 16, batch_first=True)
        self.out = nn.Linear(16, 1)

    def forward(self, x):
        return self.out(self.rnn(x)[0][:, -1]).squeeze(-1)


net = Forecaster()
opt = torch.optim.Adam(net.parameters(), lr=1e-2)
for epoch in range(6):
    net.train()
    total = 0.0
    for xb, yb in train:
        opt.zero_grad()
        loss = nn.functional.mse_loss(net(xb), yb)
        loss.backward()
        opt.step()
        total += loss.item() * len(xb)
    print(f"epoch {epoch} mse {total / len(train.dataset):.4f}")
net.eval()
with torch.no_grad():
    rmse = nn.functional.mse_loss(net(test_x), test_y).sqrt().item() * scaler.scale_[0]
naive = (test_x[:, -1, 0] - test_y).square().mean().sqrt().item() * scaler.scale_[0]
print(f"test rmse {rmse:.3f} in degrees; repeating the last value gives {naive:.3f}")
