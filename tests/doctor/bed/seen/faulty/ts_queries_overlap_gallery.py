# expect: test_in_train @ 36
# rows of one part come back in the other
#
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, Sampler, TensorDataset


class PKSampler(Sampler):
    def __init__(self, labels, classes, samples, batches):
        self.rows = [torch.nonzero(labels == c).flatten() for c in labels.unique()]
        self.classes, self.samples, self.batches = classes, samples, batches

    def __len__(self):
        return self.batches

    def __iter__(self):
        for _ in range(self.batches):
            chosen = torch.randperm(len(self.rows))[: self.classes].sort().values
            picks = [self.rows[c][torch.randint(len(self.rows[c]), (self.samples,))] for c in chosen]
            yield torch.cat(picks).tolist()


def batch_all_triplet(z, labels, margin=0.3):
    distance = torch.cdist(z, z)
    same = labels[:, None] == labels[None]
    violation = (distance[:, :, None] - distance[:, None, :] + margin).relu()
    return violation[same[:, :, None] & ~same[:, None, :]].mean()


torch.manual_seed(0)
data = load_digits()
x, y = torch.tensor(data.data / 16).float(), torch.tensor(data.target)
order = torch.randperm(len(x))
train, test = order[:1400], order[1400 - 15:]
loader = DataLoader(TensorDataset(x[train], y[train]), batch_sampler=PKSampler(y[train], 6, 8, 25))
net = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 16))
optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
for epoch in range(4):
    net.train()
    for xb, yb in loader:
        loss = batch_all_triplet(nn.functional.normalize(net(xb), dim=1), yb)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    net.eval()
    with torch.no_grad():
        gallery = nn.functional.normalize(net(x[train]), dim=1)
        queries = nn.functional.normalize(net(x[test]), dim=1)
        found = y[train][(queries @ gallery.T).argmax(1)]
    print(f"epoch {epoch} triplet {loss.item():.3f} recall@1 {(found == y[test]).float().mean():.3f}")
