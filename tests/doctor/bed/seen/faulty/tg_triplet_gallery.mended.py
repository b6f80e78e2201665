# expect: nothing
"""Metric learning on digits: triplet embeddings, judged by nearest neighbour in the gallery."""
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Triplets(Dataset):
    def __init__(self, x, y, generator):
        self.x, self.y, self.gen = x, y, generator
        self.same = [torch.where(y == c)[0] for c in range(10)]
        self.other = [torch.where(y != c)[0] for c in range(10)]

    def __len__(self):
        return len(self.x)

    def pick(self, pool):
        return pool[torch.randint(len(pool), (), generator=self.gen)]

    def __getitem__(self, i):
        c = int(self.y[i])
        return self.x[i], self.x[self.pick(self.same[c])], self.x[self.pick(self.other[c])]


class Embedder(nn.Module):
    def __init__(self, dim=16):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(64, 96), nn.BatchNorm1d(96), nn.ReLU(), nn.Linear(96, dim))

    def forward(self, x):
        return nn.functional.normalize(self.body(x), dim=1)


def retrieval(net, gallery, gallery_y, queries, queries_y):
    net.eval()
    with torch.no_grad():
        bank = net(gallery)
        hits = 0
        for q, t in zip(queries.split(90), queries_y.split(90)):
            nearest = (net(q) @ bank.T).argmax(dim=1)
            hits += (gallery_y[nearest] == t).sum().item()
    return hits / len(queries)


torch.manual_seed(5)
gen = torch.Generator().manual_seed(5)
X, y = load_digits(return_X_y=True)
Xtr, Xte, ytr, yte = train_test_split(X / 16.0, y, test_size=0.25, stratify=y, random_state=5)
Xtr, Xte = (torch.tensor(a, dtype=torch.float32) for a in (Xtr, Xte))
ytr, yte = torch.tensor(ytr), torch.tensor(yte)

net = Embedder()
criterion = nn.TripletMarginLoss(margin=0.4)
opt = torch.optim.Adam(net.parameters(), lr=2e-3)
loader = DataLoader(Triplets(Xtr, ytr, gen), batch_size=64, shuffle=True, drop_last=True, generator=gen)
for epoch in range(6):
    net.train()
    for a, p, n in loader:
        za, zp, zn = net(torch.cat([a, p, n])).chunk(3)
        loss = criterion(za, zp, zn)
        opt.zero_grad()
        loss.backward()
        opt.step()
    print(f"epoch {epoch + 1}: triplet loss {loss.item():.4f}")
print(f"recall@1 on unseen digits {retrieval(net, Xtr, ytr, Xte, yte):.3f}")
