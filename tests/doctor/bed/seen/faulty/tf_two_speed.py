# expect: no_step @ 46
"""Two learning rates, two optimizers: slow trunk and fast head on the wine data (table 4 of the report)."""
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

torch.manual_seed(2)
X, y = load_wine(return_X_y=True)
Xa, Xb, ya, yb = train_test_split(X, y, test_size=0.3, stratify=y, random_state=2)
norm = StandardScaler().fit(Xa)
Xa = torch.tensor(norm.transform(Xa), dtype=torch.float32)
Xb = torch.tensor(norm.transform(Xb), dtype=torch.float32)
ya, yb = torch.tensor(ya), torch.tensor(yb)

trunk = nn.Sequential(nn.Linear(13, 24), nn.ReLU(), nn.Linear(24, 16), nn.ReLU())
head = nn.Linear(16, 3)
opt_trunk = torch.optim.Adam(trunk.parameters(), lr=3e-3)
opt_head = torch.optim.Adam(head.parameters(), lr=1e-2)


def batches(n, size):
    for idx in torch.randperm(n).split(size):
        yield Xa[idx], ya[idx]


def accuracy(x, t):
    trunk.eval()
    head.eval()
    with torch.no_grad():
        return (head(trunk(x)).argmax(1) == t).float().mean().item()


for epoch in range(20):
    trunk.train()
    head.train()
    losses = []
    for x, t in batches(len(Xa), 16):
        opt_trunk.zero_grad()
        opt_head.zero_grad()
        loss = F.cross_entropy(head(trunk(x)), t)
        loss.backward()
        opt_trunk.step()
        opt_trunk.step()
        losses.append(loss.item())
    if epoch % 5 == 4:
        print(f"epoch {epoch + 1:2d} loss {sum(losses) / len(losses):.4f}")
print(f"test accuracy {accuracy(Xb, yb):.3f}")
