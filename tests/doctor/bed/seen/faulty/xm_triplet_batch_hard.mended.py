# expect: nothing
"""Batch-hard triplet embedding for the digits, P x K sampling."""
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

SEED = 42
np.random.seed(SEED)
torch.manual_seed(SEED)


def pairwise_distances(emb):
    dot = emb @ emb.t()
    sq = dot.diagonal()
    d2 = sq.unsqueeze(0) - 2 * dot + sq.unsqueeze(1)
    d2 = d2.clamp(min=1e-12)
    return d2.sqrt()


def batch_hard_triplet_loss(emb, labels, margin=0.3):
    dist = pairwise_distances(emb)
    same = labels.unsqueeze(0) == labels.unsqueeze(1)
    hardest_pos = (dist * same.float()).max(dim=1).values
    hardest_neg = dist.masked_fill(same, 10.0).min(dim=1).values
    return F.relu(hardest_pos - hardest_neg + margin).mean()


class PKSampler:
    """P classes and K images of each in every batch."""

    def __init__(self, labels, p=8, k=6, steps=25):
        self.by_class = {c: np.where(labels == c)[0] for c in np.unique(labels)}
        self.p, self.k, self.steps = p, k, steps

    def __iter__(self):
        for _ in range(self.steps):
            classes = np.random.choice(list(self.by_class), self.p, replace=False)
            yield np.concatenate([np.random.choice(self.by_class[c], self.k, replace=False) for c in classes])


class EmbeddingNet(nn.Module):
    def __init__(self, dim=16):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3, padding=1), nn.ReLU())
        self.proj = nn.Linear(32 * 16, dim)

    def forward(self, x):
        return F.normalize(self.proj(self.features(x).flatten(1)), dim=1)


@torch.no_grad()
def recall_at_1(model, gallery, g_labels, queries, q_labels):
    model.eval()
    sim = model(queries) @ model(gallery).t()
    return (g_labels[sim.argmax(dim=1)] == q_labels).float().mean().item()


digits = load_digits()
images = torch.tensor(digits.images, dtype=torch.float32).unsqueeze(1) / 16.0
x_train, x_test, y_train, y_test = train_test_split(
    images, digits.target, test_size=0.3, stratify=digits.target, random_state=SEED)
t_train, t_test = torch.tensor(y_train), torch.tensor(y_test)

model = EmbeddingNet()
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
sampler = PKSampler(y_train)

for epoch in range(8):
    model.train()
    losses = []
    for idx in sampler:
        loss = batch_hard_triplet_loss(model(x_train[idx]), t_train[idx])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    print(f"epoch {epoch}: triplet loss {np.mean(losses):.4f}")

print("recall@1 on held-out digits: %.4f" % recall_at_1(model, x_train, t_train, x_test, t_test))
