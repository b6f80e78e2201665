# expect: nothing
# looks suspicious: the scheduler is stepped with fractions of epochs within the batch loop and the learning
# rate jumps up again twice (warm restarts); the last epoch of a cycle has a nearly vanishing rate.
import torch
from sklearn.datasets import make_circles
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
X, y = make_circles(900, noise=0.1, factor=0.4, random_state=1)
X, y = torch.tensor(X, dtype=torch.float32), torch.tensor(y)
loader = DataLoader(TensorDataset(X[:700], y[:700]), batch_size=50, shuffle=True)
net = nn.Sequential(nn.Linear(2, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 2))
opt = torch.optim.SGD(net.parameters(), lr=0.2, momentum=0.9)
sched = torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(opt, T_0=2, T_mult=2, eta_min=1e-4)
for epoch in range(14):
    for i, (xb, yb) in enumerate(loader):
        loss = nn.functional.cross_entropy(net(xb), yb)
        opt.zero_grad()
        loss.backward()
        opt.step()
        sched.step(epoch + (i + 1) / len(loader))
    if epoch in (0, 1, 5, 9, 13):
        print(f"epoch {epoch} loss {loss.item():.4f} lr {opt.param_groups[0]['lr']:.5f}")
with torch.no_grad():
    print("accuracy", (net(X[700:]).argmax(1) == y[700:]).float().mean().item())
