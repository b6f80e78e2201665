# expect: nothing
# looks suspicious: before every validation 10 batches run in train mode under no_grad and their outputs are
# thrown away: they only re-estimate the batch-norm statistics (precise BN).
import torch
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(0)
bunch = load_digits()
x, y = torch.tensor(bunch.data / 16, dtype=torch.float32), torch.tensor(bunch.target)
perm = torch.randperm(len(y))
tr, va = perm[:1500], perm[1500:]
net = nn.Sequential(nn.Linear(64, 64, bias=False), nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, 10))
opt = torch.optim.SGD(net.parameters(), lr=0.2)


@torch.no_grad()
def precise_bn(batches=10):
    layers = [m for m in net.modules() if isinstance(m, nn.BatchNorm1d)]
    momenta = [m.momentum for m in layers]
    for m in layers:
        m.reset_running_stats()
        m.momentum = None
    net.train()
    for rows in tr[torch.randperm(len(tr))].split(100)[:batches]:
        net(x[rows])
    for m, momentum in zip(layers, momenta, strict=True):
        m.momentum = momentum


for epoch in range(5):
    net.train()
    for rows in tr[torch.randperm(len(tr))].split(60):
        opt.zero_grad()
        loss = nn.functional.cross_entropy(net(x[rows]), y[rows])
        loss.backward()
        opt.step()
    precise_bn()
    net.eval()
    with torch.no_grad():
        acc = (net(x[va]).argmax(1) == y[va]).float().mean().item()
    print(f"epoch {epoch} loss {loss.item():.4f} val {acc:.4f}")
