# expect: non_finite_loss @ 36
# allowed: non_finite_loss @ 35
# allowed: non_finite_loss @ 40
# allowed: non_finite_loss @ 64
# mend: 36 →     return torch.sqrt(sq.clamp(min=1e-12))
# Metric learning on the sklearn digits: pairwise contrastive loss, 1-NN evaluation.
import torch
from torch import nn
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

torch.manual_seed(0)
MARGIN = 1.0

X, y = load_digits(return_X_y=True)
X = torch.tensor(X / 16.0, dtype=torch.float32)
y = torch.tensor(y)
tr, te = train_test_split(range(len(X)), test_size=0.3, stratify=y, random_state=0)
Xtr, ytr, Xte, yte = X[tr], y[tr], X[te], y[te]


class Embedder(nn.Module):
    def __init__(self, dim=16):
        super().__init__()
        self.body = nn.Sequential(
            nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU())
        self.proj = nn.Linear(64, dim)

    def forward(self, x):
        return self.proj(self.body(x))


def pairwise_distances(emb):
    diff = emb.unsqueeze(0) - emb.unsqueeze(1)
    sq = (diff ** 2).sum(-1)
    return torch.sqrt(sq)


def contrastive_loss(emb, labels):
    dist = pairwise_distances(emb)
    same = (labels[:, None] == labels[None, :]).float()
    pos = same - torch.eye(len(labels))
    neg = 1 - same
    pull = (pos * dist ** 2).sum() / pos.sum()
    push = (neg * torch.relu(MARGIN - dist) ** 2).sum() / neg.sum()
    return pull + push


@torch.no_grad()
def one_nn_accuracy(net):
    net.eval()
    ref, query = net(Xtr), net(Xte)
    nearest = torch.cdist(query, ref).argmin(dim=1)
    return (ytr[nearest] == yte).float().mean().item()


net = Embedder()
opt = torch.optim.Adam(net.parameters(), lr=2e-3)
for epoch in range(8):
    net.train()
    order = torch.randperm(len(Xtr))
    losses = []
    for idx in order.split(128):
        loss = contrastive_loss(net(Xtr[idx]), ytr[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
        losses.append(loss.item())
    print(f"epoch {epoch}: contrastive loss {sum(losses) / len(losses):.4f}")

print(f"1-NN accuracy on held-out digits: {one_nn_accuracy(net):.3f}")
