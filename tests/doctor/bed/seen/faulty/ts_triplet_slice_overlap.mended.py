# expect: nothing
# looks suspicious: as training goes on many batches have a loss of exactly zero and gradients of zero:
# every triplet is already farther than the margin; the batches are built class by class (P classes, K rows
# each).
import torch
from sklearn.datasets import load_wine
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, Sampler, TensorDataset

torch.manual_seed(0)


class PKSampler(Sampler):
    def __init__(self, labels, k, batches):
        self.rows = [(labels == c).nonzero().squeeze(1) for c in labels.unique()]
        self.k, self.batches = k, batches

    def __len__(self):
        return self.batches

    def __iter__(self):
        for _ in range(self.batches):
            yield torch.cat([r[torch.randperm(len(r))[: self.k]] for r in self.rows]).tolist()


def hardest_triplets(z, y, margin):
    distance = torch.cdist(z, z)
    same = y[:, None] == y[None, :]
    positive = distance.masked_fill(~same, 0).max(1).values
    negative = distance.masked_fill(same, float("inf")).min(1).values
    return (positive - negative + margin).relu().mean()


wine = load_wine()
perm = torch.randperm(178)
tr, te = perm[:120], perm[120:]
x = torch.tensor(StandardScaler().fit(wine.data[tr]).transform(wine.data), dtype=torch.float32)
y = torch.tensor(wine.target)
net = nn.Sequential(nn.Linear(13, 32), nn.LeakyReLU(), nn.Linear(32, 4))
opt = torch.optim.Adam(net.parameters(), lr=3e-3)
loader = DataLoader(TensorDataset(x[tr], y[tr]), batch_sampler=PKSampler(y[tr], k=6, batches=10))
for epoch in range(24):
    losses = []
    for xb, yb in loader:
        loss = hardest_triplets(net(xb), yb, margin=0.2)
        opt.zero_grad()
        loss.backward()
        opt.step()
        losses.append(loss.item())
    if epoch % 4 == 3:
        zero = sum(v == 0 for v in losses)
        print(f"epoch {epoch} loss {sum(losses) / 10:.4f} zero batches {zero}")
with torch.no_grad():
    nearest = torch.cdist(net(x[te]), net(x[tr])).argmin(1)
    print("1-nn accuracy", (y[tr][nearest] == y[te]).float().mean().item())
