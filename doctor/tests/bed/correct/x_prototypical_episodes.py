# expect: nothing
# looks suspicious: classes change in every episode, labels are rebuilt from positions, negative distances go
# through a log-softmax, and queries are compared with the means of a broadcast.
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits

rng = np.random.default_rng(0)
torch.manual_seed(0)
digits = load_digits()
x, y = torch.tensor(digits.data, dtype=torch.float32) / 16, digits.target
train_classes, test_classes = [0, 1, 2, 3, 4, 5, 6], [7, 8, 9]


def episode(classes, n_way=3, n_support=5, n_query=8):
    chosen = rng.choice(classes, n_way, replace=False)
    rows = np.stack([rng.choice(np.flatnonzero(y == c), n_support + n_query, replace=False) for c in chosen])
    return x[rows[:, :n_support]], x[rows[:, n_support:]]


def euclidean_dist(a, b):
    n, m, d = a.size(0), b.size(0), a.size(1)
    return torch.pow(a.unsqueeze(1).expand(n, m, d) - b.unsqueeze(0).expand(n, m, d), 2).sum(2)


class Protonet(nn.Module):
    def __init__(self, encoder):
        super().__init__()
        self.encoder = encoder

    def loss(self, xs, xq):
        n_class, n_support, n_query = xs.size(0), xs.size(1), xq.size(1)
        target_inds = torch.arange(n_class).view(n_class, 1, 1).expand(n_class, n_query, 1).long()
        z = self.encoder(torch.cat([xs.flatten(0, 1), xq.flatten(0, 1)], 0))
        z_proto = z[: n_class * n_support].view(n_class, n_support, -1).mean(1)
        dists = euclidean_dist(z[n_class * n_support :], z_proto)
        log_p_y = F.log_softmax(-dists, dim=1).view(n_class, n_query, -1)
        loss_val = -log_p_y.gather(2, target_inds).squeeze().view(-1).mean()
        acc_val = torch.eq(log_p_y.max(2)[1], target_inds.squeeze()).float().mean()
        return loss_val, {"loss": loss_val.item(), "acc": acc_val.item()}


model = Protonet(nn.Sequential(nn.Linear(64, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, 16)))
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 2, gamma=0.5)
for epoch in range(4):
    model.train()
    meters = []
    for _ in range(25):
        optimizer.zero_grad()
        loss, output = model.loss(*episode(train_classes))
        loss.backward()
        optimizer.step()
        meters.append((output["loss"], output["acc"]))
    scheduler.step()
    model.eval()
    with torch.no_grad():
        test_acc = np.mean([model.loss(*episode(test_classes))[1]["acc"] for _ in range(10)])
    print(f"epoch {epoch} train {np.mean(meters, axis=0).round(4).tolist()} unseen classes {test_acc:.4f}")
