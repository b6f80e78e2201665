# expect: non_finite_loss @ 44
# allowed: non_finite_loss @ 43
# allowed: non_finite_loss @ 45
# allowed: non_finite_loss @ 82
# allowed: non_finite_loss @ 84
import random
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier

random.seed(7)
np.random.seed(7)
torch.manual_seed(7)


class EmbeddingNet(nn.Module):
    def __init__(self, dim=16):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1),
            nn.BatchNorm2d(16),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3, padding=1),
            nn.BatchNorm2d(32),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
        )
        self.head = nn.Linear(32 * 2 * 2, dim)

    def forward(self, x):
        return self.head(self.body(x))


def pairwise_distances(emb):
    dot = emb @ emb.t()
    sq = dot.diagonal()
    d2 = sq.unsqueeze(0) - 2.0 * dot + sq.unsqueeze(1)
    d = torch.sqrt(d2.clamp(min=0))
    return d


def batch_hard_triplet(emb, labels, margin=1.0):
    d = pairwise_distances(emb)
    same = labels.unsqueeze(0) == labels.unsqueeze(1)
    eye = torch.eye(len(labels), dtype=torch.bool)
    hardest_pos = (d * (same & ~eye).float()).max(dim=1).values
    big = d.detach().max()
    hardest_neg = (d + big * same.float()).min(dim=1).values
    return F.relu(hardest_pos - hardest_neg + margin).mean()


def pk_batches(y, p=8, k=6, n_batches=25):
    by_class = {c: np.where(y == c)[0] for c in np.unique(y)}
    for _ in range(n_batches):
        classes = np.random.choice(list(by_class), p, replace=False)
        yield np.concatenate(
            [np.random.choice(by_class[c], k, replace=False) for c in classes]
        )


digits = load_digits()
imgs = (digits.images / 16.0).astype(np.float32)[:, None]
Xtr, Xte, ytr, yte = train_test_split(
    imgs, digits.target, test_size=0.3, stratify=digits.target, random_state=7
)
Xtr_t, ytr_t = torch.from_numpy(Xtr), torch.from_numpy(ytr)

net = EmbeddingNet()
opt = torch.optim.Adam(net.parameters(), lr=1e-3)

for epoch in range(8):
    net.train()
    running = []
    for idx in pk_batches(ytr):
        xb, yb = Xtr_t[idx], ytr_t[idx]
        loss = batch_hard_triplet(net(xb), yb)
        opt.zero_grad()
        loss.backward()
        opt.step()
        running.append(loss.item())
    print(f"epoch {epoch}: triplet loss {np.mean(running):.4f}")

net.eval()
with torch.no_grad():
    e_tr = net(Xtr_t).numpy()
    e_te = net(torch.from_numpy(Xte)).numpy()
knn = KNeighborsClassifier(5).fit(np.nan_to_num(e_tr), ytr)
print("5-NN accuracy on the test embeddings: %.4f" % knn.score(np.nan_to_num(e_te), yte))
