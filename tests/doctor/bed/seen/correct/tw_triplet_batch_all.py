# expect: nothing
"""Metric learning with PK batches and all triplets of a batch (Hermans et al.).  Digits that
were held out are the queries; they search the training pictures, as a library would be searched."""
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
import torch.nn.functional as F

K, MARGIN = 6, 0.3


class PKSampler(torch.utils.data.Sampler):
    """K pictures of each of the classes per batch, so batches are put together by label."""

    def __init__(self, labels, batches, seed):
        self.pools = [torch.nonzero(labels == c).flatten() for c in labels.unique()]
        self.batches = batches
        self.gen = torch.Generator().manual_seed(seed)  # made once; it runs on from epoch to epoch

    def __len__(self):
        return self.batches

    def __iter__(self):
        for _ in range(self.batches):
            rows = [pool[torch.randperm(len(pool), generator=self.gen)[:K]] for pool in self.pools]
            yield torch.cat(rows).tolist()


class Embedder(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.PReLU(), nn.Conv2d(16, 32, 3, 2, 1), nn.PReLU())
        self.fc = nn.Linear(512, 32)

    def forward(self, x):
        return F.normalize(self.fc(self.conv(x).flatten(1)), dim=1)


def batch_all(z, y):
    dist = (2 - 2 * z @ z.t()).clamp_min(1e-6).sqrt()
    same = y[:, None] == y[None]
    friend = same & ~torch.eye(len(y), dtype=torch.bool)
    gap = dist[:, :, None] - dist[:, None, :] + MARGIN          # anchor, friend, stranger
    valid = friend[:, :, None] & ~same[:, None, :]
    active = (gap > 0) & valid
    # the mean over those that still violate the margin
    return (gap * active).sum() / active.sum().clamp_min(1), active.sum() / valid.sum()


@torch.no_grad()
def retrieval(embed, x, y, library, shelf):
    sim = embed(x) @ embed(library).t()
    ranked = shelf[sim.argsort(dim=1, descending=True)] == y[:, None]
    precision = ranked.float().cumsum(1) / torch.arange(1, len(shelf) + 1)
    average = (precision * ranked).sum(1) / ranked.sum(1)
    return ranked[:, 0].float().mean().item(), average.mean().item()


torch.manual_seed(41)
bunch = load_digits()
pictures = torch.tensor(bunch.images / 16, dtype=torch.float32)[:, None]
labels = torch.tensor(bunch.target)
train_rows, query_rows = train_test_split(torch.arange(len(labels)), test_size=0.25, stratify=labels, random_state=41)
x_train, y_train, x_new, y_new = pictures[train_rows], labels[train_rows], pictures[query_rows], labels[query_rows]

model = Embedder()
loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x_train, y_train), batch_sampler=PKSampler(y_train, 16, 42))
opt = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=1e-2)
sched = torch.optim.lr_scheduler.ExponentialLR(opt, gamma=0.85)

print("raw pixels    recall@1 %.3f  mAP %.3f" % retrieval(lambda t: F.normalize(t.flatten(1), dim=1), x_new, y_new, x_train, y_train))
for epoch in range(9):
    model.train()
    loss_sum = wrong = 0.0
    for x, y in loader:
        x = torch.roll(x, shifts=int(torch.randint(-1, 2, ())), dims=3) + 0.05 * torch.randn_like(x)
        loss, bad = batch_all(model(x), y)
        opt.zero_grad()
        loss.backward()
        opt.step()
        loss_sum += loss.item() / len(loader)
        wrong += bad.item() / len(loader)
    sched.step()
    print(f"epoch {epoch} loss {loss_sum:.3f}, violated {wrong:.2f}")
model.eval()
print("embedding     recall@1 %.3f  mAP %.3f" % retrieval(model, x_new, y_new, x_train, y_train))
