# expect: scaler_leakage @ 12
# mend: 12 → s = (s - s[:1200].min()) / (s[:1200].max() - s[:1200].min())
"""A drifting wave, windowed, scaled to 0..1."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
torch.manual_seed(0); np.random.seed(0)

t = np.arange(1500)
s = (np.sin(t / 9) + 0.001 * t + 0.1 * np.random.randn(1500)).astype("float32")
s = (s - s.min()) / (s.max() - s.min())
W = np.stack([s[i:i + 20] for i in range(1480)]); T = s[20:]
n = 1200
a = TensorDataset(torch.tensor(W[:n]), torch.tensor(T[:n]))
net = nn.Sequential(nn.Linear(20, 16), nn.ReLU(), nn.Linear(16, 1))
opt = torch.optim.Adam(net.parameters(), 3e-3)
for e in range(8):
    for xb, yb in DataLoader(a, batch_size=64, shuffle=True):
        loss = ((net(xb).squeeze(1) - yb) ** 2).mean()
        opt.zero_grad(); loss.backward(); opt.step()
with torch.no_grad():
    print(((net(torch.tensor(W[n:])).squeeze(1) - torch.tensor(T[n:])) ** 2).mean())
