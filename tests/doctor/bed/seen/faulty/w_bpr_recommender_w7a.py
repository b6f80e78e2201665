# expect: graph_kept_alive @ 76
# allowed: graph_kept_alive @ 59
"""Implicit-feedback recommender: matrix factorisation with the BPR loss on made-up tastes, hit rate at 10."""
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, Dataset


def made_up_likes(users=250, items=160, per_user=16, seed=0):
    rng = np.random.default_rng(seed)
    u, v = rng.standard_normal((users, 3)), rng.standard_normal((items, 3))
    noisy = u @ v.T + 0.8 * rng.gumbel(size=(users, items))
    liked = np.argsort(-noisy, axis=1)[:, :per_user]
    return rng.permuted(liked, axis=1)


class BPRPairs(Dataset):
    def __init__(self, liked, n_items, seed):
        self.pairs = [(u, i) for u, row in enumerate(liked) for i in row]
        self.seen = [set(row.tolist()) for row in liked]
        self.n_items, self.rng = n_items, np.random.default_rng(seed)

    def __len__(self):
        return len(self.pairs)

    def __getitem__(self, k):
        u, pos = self.pairs[k]
        neg = int(self.rng.integers(self.n_items))
        while neg in self.seen[u]:
            neg = int(self.rng.integers(self.n_items))
        return u, int(pos), neg


class Factors(nn.Module):
    def __init__(self, users, items, dim=8):
        super().__init__()
        self.user = nn.Embedding(users, dim)
        self.item = nn.Embedding(items, dim)
        self.bias = nn.Embedding(items, 1)
        for table in (self.user, self.item, self.bias):
            nn.init.normal_(table.weight, std=0.1)

    def forward(self, u, i):
        return (self.user(u) * self.item(i)).sum(-1) + self.bias(i).squeeze(-1)

    def all_scores(self):
        return self.user.weight @ self.item.weight.T + self.bias.weight.T


class RunningLoss:
    """Exponentially smoothed figure for the log line."""

    def __init__(self, keep=0.98):
        self.keep, self.value = keep, None

    def update(self, new):
        self.value = new if self.value is None else self.keep * self.value + (1 - self.keep) * new

    def __str__(self):
        return f"{self.value:.4f}"


class Trainer:
    def __init__(self, model, loader, lr=1e-2, l2=1e-5):
        self.model, self.loader = model, loader
        self.opt = torch.optim.Adam(model.parameters(), lr=lr, weight_decay=l2)
        self.smooth = RunningLoss()

    def batch(self, u, pos, neg):
        loss = -F.logsigmoid(self.model(u, pos) - self.model(u, neg)).mean()
        self.opt.zero_grad()
        loss.backward()
        self.opt.step()
        self.smooth.update(loss)

    def fit(self, epochs):
        for epoch in range(epochs):
            self.model.train()
            for u, pos, neg in self.loader:
                self.batch(u, pos, neg)
            if epoch % 5 == 4:
                print(f"epoch {epoch + 1}  smoothed loss {self.smooth}")


@torch.no_grad()
def hit_rate(model, train_liked, held_out, k=10):
    model.eval()
    scores = model.all_scores().scatter(1, torch.from_numpy(train_liked), float("-inf"))
    top = scores.topk(k, dim=1).indices
    return (top[:, :, None] == torch.from_numpy(held_out)[:, None, :]).any(dim=1).float().mean().item()


def main():
    torch.manual_seed(0)
    liked = made_up_likes()
    train_liked, held_out = liked[:, :13], liked[:, 13:]
    loader = DataLoader(BPRPairs(train_liked, 160, seed=1), batch_size=128, shuffle=True)
    model = Factors(250, 160)
    Trainer(model, loader).fit(15)
    print(f"held-out likes found in the top ten: {hit_rate(model, train_liked, held_out):.4f}")


if __name__ == "__main__":
    main()
