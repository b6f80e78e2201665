# expect: nothing
"""Two-tower recommender on made-up listening data, trained with in-batch negatives."""
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F


def make_log(n_users=240, n_items=120, per_user=12, seed=5):
    rng = np.random.default_rng(seed)
    taste = rng.normal(size=(n_users, 4))
    style = rng.normal(size=(n_items, 4))
    tags = (style @ rng.normal(size=(4, 10)) + 0.5 * rng.normal(size=(n_items, 10))).astype(np.float32)
    tags = (tags - tags.mean(0)) / tags.std(0)
    score = taste @ style.T + rng.gumbel(size=(n_users, n_items))
    chosen = np.argsort(-score, axis=1)[:, :per_user]
    for row in chosen:
        rng.shuffle(row)
    return chosen, tags


class TwoTower(nn.Module):
    def __init__(self, n_users, tags, dim=16):
        super().__init__()
        self.register_buffer("tags", torch.as_tensor(tags))
        self.users = nn.Embedding(n_users, dim)
        self.item_ids = nn.Embedding(len(tags), dim)
        self.item_mlp = nn.Sequential(nn.Linear(tags.shape[1], 32), nn.ReLU(), nn.Linear(32, dim))
        nn.init.normal_(self.users.weight, std=0.1)
        nn.init.normal_(self.item_ids.weight, std=0.1)

    def encode_user(self, u):
        return self.users(u)

    def encode_item(self, i):
        return self.item_ids(i) + self.item_mlp(self.tags[i])

    def forward(self, u, i):
        return self.encode_user(u) @ self.encode_item(i).T

    @torch.no_grad()
    def recommend(self, u, seen, k=10):
        everything = torch.arange(len(self.tags))
        scores = self.encode_user(u) @ self.encode_item(everything).T
        scores = scores.masked_fill(seen, float("-inf"))
        return scores.topk(k, dim=1).indices


def batches(pairs, size, rng):
    order = rng.permutation(len(pairs))
    for start in range(0, len(order), size):
        yield torch.as_tensor(pairs[order[start:start + size]])


def in_batch_loss(logits, items):
    same = items[:, None] == items[None, :]
    same.fill_diagonal_(False)
    logits = logits.masked_fill(same, -1e4)
    return F.cross_entropy(logits, torch.arange(len(items)))


def main():
    torch.manual_seed(5)
    rng = np.random.default_rng(50)
    chosen, tags = make_log()
    n_users = len(chosen)
    users = np.repeat(np.arange(n_users), chosen.shape[1] - 3)
    train = np.stack([users, chosen[:, :-3].ravel()], axis=1)
    held_out = torch.as_tensor(chosen[:, -3:].copy())
    seen = torch.zeros(n_users, len(tags), dtype=torch.bool)
    seen[train[:, 0], train[:, 1]] = True

    model = TwoTower(n_users, tags)
    opt = torch.optim.AdamW(model.parameters(), lr=5e-3, weight_decay=1e-2)
    for epoch in range(12):
        model.train()
        running = 0.0
        for batch in batches(train, 128, rng):
            logits = model(batch[:, 0], batch[:, 1])
            loss = in_batch_loss(logits, batch[:, 1])
            opt.zero_grad()
            loss.backward()
            opt.step()
            running += loss.item() * len(batch)
        if epoch % 3 == 2:
            print(f"epoch {epoch:2d}  loss {running / len(train):.4f}")

    model.eval()
    top = model.recommend(torch.arange(n_users), seen)
    hits = (top[:, :, None] == held_out[:, None, :]).any(dim=1).float()
    print(f"recall@10 {hits.mean().item():.3f}")


if __name__ == "__main__":
    main()
