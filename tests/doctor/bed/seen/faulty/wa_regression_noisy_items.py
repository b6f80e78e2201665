# expect: augment_on_test @ 25
# allowed: augment_on_test @ 17
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset
from sklearn.datasets import load_diabetes

class Ruido(Dataset):
    def __init__(self, x, y, sigma=0.4):
        self.x, self.y, self.sigma = x, y, sigma

    def __len__(self):
        return len(self.x)

    def __getitem__(self, i):
        x = self.x[i]
        x = x + self.sigma * torch.randn_like(x)
        return x, self.y[i]

torch.manual_seed(0)
d = load_diabetes()
x = torch.tensor(d.data, dtype=torch.float32) * 20
y = torch.tensor(d.target, dtype=torch.float32).reshape(-1, 1) / 100
o = torch.randperm(len(x)); x, y = x[o], y[o]
tr, te = Ruido(x[:350], y[:350]), Ruido(x[350:], y[350:])
a = DataLoader(tr, 32, shuffle=True)
b = DataLoader(te, 64)
net = nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Linear(32, 1))
opt = torch.optim.Adam(net.parameters(), lr=3e-3)
for epoch in range(12):
    net.train()
    for xb, yb in a:
        opt.zero_grad()
        loss = nn.functional.mse_loss(net(xb), yb)
        loss.backward()
        opt.step()
net.eval()
with torch.no_grad():
    err = sum(nn.functional.mse_loss(net(xb), yb, reduction="sum").item() for xb, yb in b) / len(te)
print(err)
