# expect: nothing
"""BPR for implicit feedback: last item of each user held out, negatives drawn in the collate function, two optimizers."""
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, Dataset

N_USERS, N_ITEMS, DIM = 150, 100, 12


def interactions(rng):
    """Per user the items they took, in random order of time."""
    taste, kind = rng.normal(size=(N_USERS, 3)), rng.normal(size=(N_ITEMS, 3))
    liking = taste @ kind.T * 1.5 + rng.normal(0, 0.5, N_ITEMS)
    chance = np.exp(liking - liking.max(1, keepdims=True))
    chance /= chance.sum(1, keepdims=True)
    return [rng.choice(N_ITEMS, size=16, replace=False, p=row) for row in chance]


class Clicks(Dataset):
    def __init__(self, histories):
        self.pairs = [(u, int(i)) for u, items in enumerate(histories) for i in items]

    def __len__(self):
        return len(self.pairs)

    def __getitem__(self, k):
        return self.pairs[k]


class NegativeSampler:
    """Collate function: to each click an item the user has not clicked in training."""

    def __init__(self, histories, rng):
        self.taken = [set(map(int, items)) for items in histories]
        self.rng = rng

    def __call__(self, batch):
        users, liked = zip(*batch)
        other = []
        for u in users:
            j = int(self.rng.integers(N_ITEMS))
            while j in self.taken[u]:
                j = int(self.rng.integers(N_ITEMS))
            other.append(j)
        return torch.tensor(users), torch.tensor(liked), torch.tensor(other)


class BPR(nn.Module):
    def __init__(self):
        super().__init__()
        self.user = nn.Embedding(N_USERS, DIM, sparse=True)
        self.item = nn.Embedding(N_ITEMS, DIM, sparse=True)
        nn.init.normal_(self.user.weight, std=0.1)
        nn.init.normal_(self.item.weight, std=0.1)
        self.popularity = nn.Parameter(torch.zeros(N_ITEMS))

    def forward(self, users, items):
        return (self.user(users) * self.item(items)).sum(-1) + self.popularity[items]

    @torch.no_grad()
    def scores(self):
        return self.user.weight @ self.item.weight.T + self.popularity


def hit_rate(model, seen, held_out, k=10):
    model.eval()
    scores = model.scores()
    for u, items in enumerate(seen):
        scores[u, torch.as_tensor(items)] = -torch.inf
    top = scores.topk(k, dim=1).indices
    return (top == torch.as_tensor(held_out)[:, None]).any(1).float().mean().item()


def main():
    torch.manual_seed(70)
    rng = np.random.default_rng(70)
    histories = interactions(rng)
    seen, held_out = [h[:-1] for h in histories], np.array([h[-1] for h in histories])
    loader = DataLoader(Clicks(seen), batch_size=128, shuffle=True, collate_fn=NegativeSampler(seen, rng))
    model = BPR()
    tables = torch.optim.SparseAdam([model.user.weight, model.item.weight], lr=1e-2)
    bias = torch.optim.Adam([model.popularity], lr=1e-2)
    for epoch in range(20):
        model.train()
        total = 0.0
        for users, liked, other in loader:
            margin = model(users, liked) - model(users, other)
            norm = model.user(users).square().mean() + model.item(liked).square().mean()
            loss = -F.logsigmoid(margin).mean() + 0.02 * norm
            for optimizer in (tables, bias):
                optimizer.zero_grad()
            loss.backward()
            for optimizer in (tables, bias):
                optimizer.step()
            total += loss.item() * len(users)
        if epoch % 5 == 4:
            print(f"epoch {epoch + 1}: bpr loss {total / len(loader.dataset):.4f}")
    print(f"hit rate at 10 on held-out items {hit_rate(model, seen, held_out):.3f} (by chance {10 / (N_ITEMS - 15):.3f})")


if __name__ == "__main__":
    main()
