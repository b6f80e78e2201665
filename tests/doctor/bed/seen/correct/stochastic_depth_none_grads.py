# expect: nothing
# looks suspicious: in many steps some parameters own no gradient at all (p.grad is None): their residual
# block was dropped in that step (stochastic depth).
import torch
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn

torch.manual_seed(0)
X, y = load_breast_cancer(return_X_y=True)
Xa, Xb, ya, yb = train_test_split(X, y, test_size=0.25, stratify=y, random_state=0)
sc = StandardScaler().fit(Xa)
Xa, Xb = torch.tensor(sc.transform(Xa)).float(), torch.tensor(sc.transform(Xb)).float()
ya, yb = torch.tensor(ya), torch.tensor(yb)


class Net(nn.Module):
    def __init__(self, depth=5, dim=24):
        super().__init__()
        self.stem = nn.Linear(30, dim)
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.LayerNorm(dim), nn.Linear(dim, dim), nn.GELU()) for _ in range(depth)
        )
        self.keep = [1 - 0.5 * i / (depth - 1) for i in range(depth)]
        self.head = nn.Linear(dim, 2)

    def forward(self, x):
        x = self.stem(x)
        for keep, block in zip(self.keep, self.blocks, strict=True):
            if not self.training:
                x = x + keep * block(x)
            elif torch.rand(()) < keep:
                x = x + block(x)
        return self.head(x)


net = Net()
opt = torch.optim.AdamW(net.parameters(), lr=2e-3)
for epoch in range(12):
    net.train()
    for rows in torch.randperm(len(ya)).split(32):
        opt.zero_grad()
        loss = nn.functional.cross_entropy(net(Xa[rows]), ya[rows])
        loss.backward()
        opt.step()
    if epoch % 4 == 3:
        print(epoch, loss.item())
net.eval()
with torch.no_grad():
    print("test", (net(Xb).argmax(1) == yb).float().mean().item())
