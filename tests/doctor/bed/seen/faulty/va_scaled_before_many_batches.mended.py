# expect: nothing
import torch
from torch import nn
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset
torch.manual_seed(0)
X, y = load_breast_cancer(return_X_y=True)
xa, xb, ya, yb = train_test_split(X, y, test_size=0.25, random_state=0, stratify=y)
mean, std = xa.mean(0), xa.std(0)
xa, xb = (xa - mean) / std, (xb - mean) / std
xa, xb = torch.tensor(xa, dtype=torch.float32), torch.tensor(xb, dtype=torch.float32)
ya, yb = torch.tensor(ya), torch.tensor(yb)
loader = DataLoader(TensorDataset(xa, ya), batch_size=8, shuffle=True, drop_last=True)
net = nn.Sequential(nn.Linear(30, 32), nn.ReLU(), nn.Linear(32, 2))
opt = torch.optim.Adam(net.parameters(), lr=1e-3)
for epoch in range(5):
    net.train()
    total = 0.0
    for x, t in loader:
        opt.zero_grad()
        loss = nn.functional.cross_entropy(net(x), t)
        loss.backward()
        opt.step()
        total += loss.item()
    net.eval()
    with torch.no_grad():
        print(epoch, total / len(loader), (net(xb).argmax(1) == yb).float().mean().item())
