# expect: nothing
"""Two-view contrastive pretraining (CLIP-like, both directions) on digits, then a prototype classifier.

Left and right image halves are the two views; the similarity matrix is normalised over its rows
for left->right and over its columns for right->left.
"""
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

torch.manual_seed(3)


def half_encoder(dim):
    return nn.Sequential(nn.Flatten(), nn.Linear(32, 96), nn.ReLU(), nn.Linear(96, dim))


class TwoView(nn.Module):
    def __init__(self, dim=24):
        super().__init__()
        self.left = half_encoder(dim)
        self.right = half_encoder(dim)
        self.log_scale = nn.Parameter(torch.tensor(np.log(10.0), dtype=torch.float32))

    def embed(self, x):
        a = F.normalize(self.left(x[..., :4]), dim=1)
        b = F.normalize(self.right(x[..., 4:]), dim=1)
        return a, b

    def forward(self, x):
        a, b = self.embed(x)
        return self.log_scale.exp() * a @ b.T


def contrast(sim):
    rows = F.log_softmax(sim, dim=1).diagonal()
    cols = F.log_softmax(sim, dim=0).diagonal()
    return -(rows.mean() + cols.mean()) / 2


class Prototypes(nn.Module):
    """attention over the support rows: each class vector is a weighted mean of its members"""

    def __init__(self, dim):
        super().__init__()
        self.score = nn.Linear(dim, 1)

    def forward(self, z, y, n_classes=10):
        out = []
        for c in range(n_classes):
            members = z[y == c]
            w = torch.softmax(self.score(members), dim=0)  # over the members
            out.append((w * members).sum(0))
        return F.normalize(torch.stack(out), dim=1)


X, y = load_digits(return_X_y=True)
X = torch.tensor(X.reshape(-1, 8, 8) / 16.0, dtype=torch.float32)
y = torch.tensor(y)
tr, te = train_test_split(np.arange(len(y)), test_size=0.3, stratify=y, random_state=8)

model = TwoView()
opt = torch.optim.Adam(model.parameters(), lr=2e-3)
for epoch in range(15):
    model.train()
    total, batches = 0.0, 0
    for pick in torch.randperm(len(tr)).split(128):
        loss = contrast(model(X[tr][pick]))
        opt.zero_grad()
        loss.backward()
        opt.step()
        total, batches = total + loss.item(), batches + 1
    if epoch % 5 == 4:
        print(f"epoch {epoch + 1:2d}: contrastive loss {total / batches:.3f}")

model.eval()
with torch.no_grad():
    z = torch.cat(model.embed(X), dim=1)
proto = Prototypes(z.shape[1])
opt = torch.optim.Adam(proto.parameters(), lr=1e-2)
for it in range(60):
    logits = 10 * z[tr] @ proto(z[tr], y[tr]).T
    loss = F.cross_entropy(logits, y[tr])
    opt.zero_grad()
    loss.backward()
    opt.step()
print(f"prototype loss {loss.item():.3f}")

with torch.no_grad():
    centers = proto(z[tr], y[tr])
    prob = F.softmax(10 * centers @ z[te].T, dim=0)  # classes along the first axis
    hit = (prob.argmax(0) == y[te]).float().mean().item()
print(f"test accuracy with prototypes {hit:.3f}")
