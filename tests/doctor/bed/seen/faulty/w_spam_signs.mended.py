# expect: nothing
"""Spam or not from word counts, made up: batches are dictionaries that a collate function makes."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

WORDS = 30


def mails(n, rng):
    spam = rng.random(n) < 0.5
    rates = np.where(spam[:, None], rng.uniform(0.2, 2.0, WORDS), 1.0)
    return rng.poisson(rates).astype(np.float32), spam


class Mails(Dataset):
    def __init__(self, counts, spam):
        self.counts, self.spam = np.log1p(counts), spam

    def __len__(self):
        return len(self.counts)

    def __getitem__(self, i):
        return {
            "counts": self.counts[i],
            "label": 1.0 if self.spam[i] else 0.0,
        }


def collate(rows):
    return {
        "counts": torch.tensor(np.stack([r["counts"] for r in rows])),
        "label": torch.tensor([r["label"] for r in rows]),
    }


def run(net, batch, criterion):
    logit = net(batch["counts"]).squeeze(-1)
    return criterion(logit, batch["label"]), logit


def main():
    torch.manual_seed(1)
    counts, spam = mails(1200, np.random.default_rng(1))
    train, test = Mails(counts[:900], spam[:900]), Mails(counts[900:], spam[900:])
    net = nn.Sequential(nn.Linear(WORDS, 16), nn.ReLU(), nn.Linear(16, 1))
    optimizer = torch.optim.Adam(net.parameters(), lr=5e-3)
    criterion = nn.BCEWithLogitsLoss()
    for epoch in range(8):
        net.train()
        for batch in DataLoader(train, batch_size=45, shuffle=True, collate_fn=collate):
            loss, _ = run(net, batch, criterion)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    net.eval()
    right = 0
    with torch.no_grad():
        for batch in DataLoader(test, batch_size=100, collate_fn=collate):
            right += ((run(net, batch, criterion)[1] > 0) == (batch["label"] > 0.5)).sum().item()
    print(f"accuracy {right / len(test):.3f}")


main()
