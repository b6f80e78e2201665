# missed: unshuffled_sorted @ 60
# allowed: unshuffled_sorted @ 33
# allowed: unshuffled_sorted @ 59
# mend: 60 →     train_dl = loader(sets["train"], shuffle=True)
"""Metric learning with a cosine-margin head (CosFace) on synthetic 'voice prints'."""
from functools import partial

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset

N_SPEAKERS, PER_SPEAKER, DIM = 8, 180, 30


def record_speaker(k, rng, centres):
    """Utterances of one speaker: a centre, a channel direction and noise."""
    chan = rng.normal(0, 1, (PER_SPEAKER, 1)) * centres[(k + 1) % N_SPEAKERS] * 0.3
    return centres[k] + chan + rng.normal(0, 1.1, (PER_SPEAKER, DIM))


def collect(rng, held_out=0.25):
    """Splits the utterances of each speaker at random, so that every speaker is in both parts."""
    centres = rng.normal(0, 0.6, (N_SPEAKERS, DIM))
    parts = {"train": ([], []), "test": ([], [])}
    n_test = int(held_out * PER_SPEAKER)
    for k in range(N_SPEAKERS):
        feats = rng.permutation(record_speaker(k, rng, centres))
        for name, rows in (("test", feats[:n_test]), ("train", feats[n_test:])):
            parts[name][0].append(rows)
            parts[name][1].append(np.full(len(rows), k))
    return {n: (np.concatenate(x), np.concatenate(y)) for n, (x, y) in parts.items()}


class CosFace(nn.Module):
    def __init__(self, dim, n_classes, scale=12.0, margin=0.15):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(n_classes, dim))
        nn.init.xavier_normal_(self.weight)
        self.scale, self.margin = scale, margin

    def cosine(self, z):
        return F.linear(F.normalize(z), F.normalize(self.weight))

    def forward(self, z, y):
        cos = self.cosine(z)
        cut = self.margin * F.one_hot(y, cos.size(1))
        return F.cross_entropy(self.scale * (cos - cut), y)


def main():
    torch.manual_seed(6)
    parts = collect(np.random.default_rng(6))
    mean, std = parts["train"][0].mean(0), parts["train"][0].std(0)
    sets = {n: TensorDataset(torch.tensor((x - mean) / std, dtype=torch.float32), torch.tensor(y))
            for n, (x, y) in parts.items()}

    loader = partial(DataLoader, batch_size=30)
    train_dl = loader(sets["train"])
    test_dl = loader(sets["test"])

    embed = nn.Sequential(nn.Linear(DIM, 64), nn.PReLU(), nn.Linear(64, 16))
    head = CosFace(16, N_SPEAKERS)
    opt_embed = torch.optim.SGD(embed.parameters(), lr=0.05, momentum=0.9)
    opt_head = torch.optim.SGD(head.parameters(), lr=0.05, momentum=0.9)

    for epoch in range(6):
        embed.train()
        head.train()
        losses = []
        for x, y in train_dl:
            opt_embed.zero_grad()
            opt_head.zero_grad()
            loss = head(embed(x), y)
            loss.backward()
            opt_embed.step()
            opt_head.step()
            losses.append(loss.item())
        print(f"epoch {epoch}  loss {np.mean(losses):.4f}")

    embed.eval()
    head.eval()
    hits = total = 0
    with torch.no_grad():
        for x, y in test_dl:
            hits += (head.cosine(embed(x)).argmax(dim=1) == y).sum().item()
            total += len(y)
    print(f"speaker identification on test: {hits / total:.3f}")


if __name__ == "__main__":
    main()
