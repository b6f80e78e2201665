# expect: scheduler_misuse @ 65
# allowed: scheduler_misuse @ 62
# allowed: scheduler_misuse @ 64
"""Tells the region of made-up village names from their letters; a small trainer with callbacks around a GRU."""
import random

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

SYLLABLES = {
    "north": ["vik", "berg", "sund", "nes", "dal", "fjor", "hol", "gar"],
    "south": ["villa", "rosa", "mon", "te", "san", "ca", "lo", "gar"],
    "east": ["ovo", "grad", "pol", "ska", "mir", "zov", "dal", "lo"],
}
LETTERS = "abcdefghijklmnopqrstuvwxyz"
LONGEST = 16


def make_names(per_region, seed):
    rng = random.Random(seed)
    rows = []
    for label, region in enumerate(SYLLABLES):
        for _ in range(per_region):
            home = SYLLABLES[region]
            rest = SYLLABLES[rng.choice(list(SYLLABLES))]
            parts = [rng.choice(home), rng.choice(rest), rng.choice(home)]
            rng.shuffle(parts)
            rows.append(("".join(parts)[:LONGEST], label))
    rng.shuffle(rows)
    unique = list(dict(rows).items())
    ids = torch.zeros(len(unique), LONGEST, dtype=torch.long)
    for i, (name, _) in enumerate(unique):
        for j, letter in enumerate(name):
            ids[i, j] = LETTERS.index(letter) + 1
    return ids, torch.tensor([label for _, label in unique])


class Reader(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.letters = nn.Embedding(len(LETTERS) + 1, 16, padding_idx=0)
        self.gru = nn.GRU(16, 32, batch_first=True, bidirectional=True)
        self.out = nn.Linear(64, classes)

    def forward(self, ids):
        states, _ = self.gru(self.letters(ids))
        mask = (ids > 0).unsqueeze(-1)
        return self.out(states.masked_fill(~mask, -1.0).amax(dim=1))


class Callback:
    def on_batch_end(self, run):
        pass

    def on_epoch_end(self, run):
        pass


class Decay(Callback):
    def __init__(self, optimizer, gamma):
        self.schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma)

    def on_batch_end(self, run):
        self.schedule.step()


class Report(Callback):
    def on_epoch_end(self, run):
        print(f"epoch {run.epoch}: loss {run.mean_loss:.4f}")


class Runner:
    def __init__(self, model, optimizer, callbacks):
        self.model, self.optimizer, self.callbacks = model, optimizer, callbacks
        self.criterion = nn.CrossEntropyLoss()

    def tell(self, event):
        for callback in self.callbacks:
            getattr(callback, event)(self)

    def fit(self, loader, epochs):
        for self.epoch in range(epochs):
            self.model.train()
            total = 0.0
            for ids, label in loader:
                self.optimizer.zero_grad()
                loss = self.criterion(self.model(ids), label)
                loss.backward()
                self.optimizer.step()
                total += loss.item()
                self.tell("on_batch_end")
            self.mean_loss = total / len(loader)
            self.tell("on_epoch_end")

    @torch.no_grad()
    def accuracy(self, ids, label):
        self.model.eval()
        return (self.model(ids).argmax(1) == label).float().mean().item()


torch.manual_seed(0)
ids, label = make_names(400, seed=8)
cut = int(0.8 * len(ids))
model = Reader(len(SYLLABLES))
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
runner = Runner(model, optimizer, [Decay(optimizer, gamma=0.8), Report()])
runner.fit(DataLoader(TensorDataset(ids[:cut], label[:cut]), batch_size=32, shuffle=True), epochs=8)
print(f"test accuracy {runner.accuracy(ids[cut:], label[cut:]):.3f}")
