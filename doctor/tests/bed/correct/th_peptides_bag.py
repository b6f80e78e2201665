# expect: nothing
"""Antimicrobial peptides against ordinary ones: bag of k-mers, offsets made in collate_fn."""
import random

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset, Subset

AMINO = "ACDEFGHIKLMNPQRSTVWY"
KMER = {a + b: i for i, (a, b) in enumerate((a, b) for a in AMINO for b in AMINO)}


class PeptideSet(Dataset):
    def __init__(self, n, seed):
        rng = random.Random(seed)
        weights = ([1.0] * 20, [2.6 if a in "KRLWI" else 0.85 for a in AMINO])
        self.items = []
        for _ in range(n):
            label = rng.random() < 0.5
            seq = "".join(rng.choices(AMINO, weights[label], k=rng.randint(20, 45)))
            self.items.append((seq, float(label)))

    def __len__(self):
        return len(self.items)

    def __getitem__(self, i):
        seq, label = self.items[i]
        return [KMER[seq[j:j + 2]] for j in range(len(seq) - 1)], label


def collate(batch):
    ids, labels = zip(*batch)
    offsets = np.cumsum([0] + [len(s) for s in ids[:-1]])
    return (torch.tensor([k for s in ids for k in s]), torch.tensor(offsets), torch.tensor(labels))


class BagNet(nn.Module):
    def __init__(self, dim=8):
        super().__init__()
        self.bag = nn.EmbeddingBag(len(KMER), dim, mode="mean")
        self.drop = nn.Dropout(0.2)
        self.out = nn.Linear(dim, 1)

    def forward(self, ids, offsets):
        return self.out(self.drop(self.bag(ids, offsets))).squeeze(1)


def accuracy(net, loader):
    net.eval()
    good = n = 0
    with torch.no_grad():
        for ids, offsets, labels in loader:
            good += ((net(ids, offsets) > 0) == (labels > 0.5)).sum().item()
            n += len(labels)
    return good / n


def main():
    torch.manual_seed(2)
    data = PeptideSet(1500, seed=2)
    n_test = 300
    index = torch.randperm(len(data)).tolist()
    train_index, test_index = index[:-n_test], index[-n_test:]
    train_loader = DataLoader(Subset(data, train_index), batch_size=32, shuffle=True, collate_fn=collate)
    test_loader = DataLoader(Subset(data, test_index), batch_size=150, collate_fn=collate)

    net = BagNet()
    optimizer = torch.optim.AdamW(net.parameters(), lr=0.01, weight_decay=0.01)
    loss_fn = nn.BCEWithLogitsLoss()
    for epoch in range(6):
        net.train()
        total = 0.0
        for ids, offsets, labels in train_loader:
            optimizer.zero_grad()
            loss = loss_fn(net(ids, offsets), labels)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(labels)
        if epoch % 2 == 1:
            print(f"epoch {epoch}  loss {total / len(train_index):.4f}")
    print(f"train {len(train_index)} peptides, test {len(test_index)} peptides")
    print(f"test accuracy {accuracy(net, test_loader):.3f}")


if __name__ == "__main__":
    main()
