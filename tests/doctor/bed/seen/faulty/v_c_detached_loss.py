# expect: detached_loss @ 33
# allowed: detached_graph @ 33
# allowed: detached_loss @ 44
"""Forum question: regression net, loss computed in a helper that rebuilds a tensor from a list."""
import torch
import torch.nn as nn
from sklearn.datasets import make_friedman1

torch.manual_seed(60)
X, y = make_friedman1(n_samples=800, n_features=6, noise=0.5, random_state=60)
X, y = torch.tensor(X, dtype=torch.float32), torch.tensor(y, dtype=torch.float32)
Xtr, Xte = X[:600] * 2 - 1, X[600:] * 2 - 1
m, s = y[:600].mean(), y[:600].std()
ytr, yte = (y[:600] - m) / s, (y[600:] - m) / s


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.l1 = nn.Linear(6, 40)
        self.l2 = nn.Linear(40, 1)

    def forward(self, x):
        return self.l2(torch.relu(self.l1(x))).squeeze(1)


def weighted_loss(pred, target):
    """Huber loss, large targets count double."""
    terms = []
    for p, t in zip(pred, target):
        w = 2.0 if t.abs() > 1 else 1.0
        terms.append(w * nn.functional.smooth_l1_loss(p, t))
    return torch.tensor(terms, requires_grad=True).mean()


net = Net()
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
for epoch in range(10):
    net.train()
    running = 0.0
    for idx in torch.randperm(600).split(50):
        optimizer.zero_grad()
        loss = weighted_loss(net(Xtr[idx]), ytr[idx])
        loss.backward()
        optimizer.step()
        running += loss.item()
    print(f"epoch {epoch} loss {running / 12:.4f}")

net.eval()
with torch.no_grad():
    mse = ((net(Xte) - yte) ** 2).mean().item()
print(f"test mse {mse:.4f}")
