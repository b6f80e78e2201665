# expect: nothing
"""Offline distillation: the teacher ensemble scores the training set once, the scores are cached,
and the student then learns from the cache (no teacher in memory any more)."""
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, Dataset, TensorDataset

TEMP = 2.5


def make_mlp(*sizes, drop=0.0):
    layers = []
    for a, b in zip(sizes, sizes[1:-1]):
        layers += [nn.Linear(a, b), nn.ReLU(), nn.Dropout(drop)]
    return nn.Sequential(*layers, nn.Linear(sizes[-2], sizes[-1]))


class CachedTargets(Dataset):
    """row i of the table together with row i of the cache"""

    def __init__(self, x, soft):
        assert len(x) == len(soft)
        self.x, self.soft = x, soft

    def __len__(self):
        return len(self.x)

    def __getitem__(self, i):
        return self.x[i], self.soft[i]


def loader_for(*tensors, batch=64, shuffle=True):
    return DataLoader(TensorDataset(*tensors), batch_size=batch, shuffle=shuffle)


def train_teacher(x, y, seed, epochs=8):
    torch.manual_seed(seed)
    net = make_mlp(64, 96, 96, 10, drop=0.2)
    opt = torch.optim.Adam(net.parameters(), lr=3e-3)
    net.train()
    for _ in range(epochs):
        for xb, yb in loader_for(x, y):
            opt.zero_grad()
            F.cross_entropy(net(xb), yb).backward()
            opt.step()
    return net.eval()


@torch.no_grad()
def score_ensemble(nets, x):
    """Mean of the softened probabilities, batch by batch, as the pictures might not fit at once."""
    chunks = []
    for (xb,) in loader_for(x, batch=256, shuffle=False):
        probs = torch.stack([F.softmax(net(xb) / TEMP, dim=-1) for net in nets])
        chunks.append(probs.mean(dim=0))
    return torch.cat(chunks)


def train_student(x, soft, epochs=12):
    student = make_mlp(64, 32, 10)
    opt = torch.optim.Adam(student.parameters(), lr=4e-3)
    data = DataLoader(CachedTargets(x, soft), batch_size=64, shuffle=True)
    for epoch in range(1, epochs + 1):
        student.train()
        total = 0.0
        for xb, sb in data:
            loss = F.kl_div(F.log_softmax(student(xb) / TEMP, dim=-1), sb, reduction="batchmean") * TEMP ** 2
            opt.zero_grad()
            loss.backward()
            opt.step()
            total += loss.item() * len(xb)
        if epoch % 3 == 0:
            print(f"student epoch {epoch:2d}: kl {total / len(x):.4f}")
    return student


@torch.no_grad()
def top1(net, x, y):
    net.eval()
    return (net(x).argmax(dim=1) == y).float().mean().item()


def main():
    raw, lab = load_digits(return_X_y=True)
    x_tr, x_te, y_tr, y_te = train_test_split(raw / 16.0, lab, test_size=0.25, stratify=lab, random_state=10)
    x_tr, x_te = (torch.tensor(a, dtype=torch.float32) for a in (x_tr, x_te))
    y_tr, y_te = torch.tensor(y_tr), torch.tensor(y_te)

    teachers = [train_teacher(x_tr, y_tr, seed) for seed in (100, 101)]
    for i, t in enumerate(teachers):
        print(f"teacher {i}: test top-1 {top1(t, x_te, y_te):.4f}")
    cache = score_ensemble(teachers, x_tr)
    student = train_student(x_tr, cache)
    print(f"student: test top-1 {top1(student, x_te, y_te):.4f}")


if __name__ == "__main__":
    main()
