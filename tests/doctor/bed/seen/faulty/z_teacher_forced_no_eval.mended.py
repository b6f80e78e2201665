# expect: nothing
# mends: z_teacher_forced_no_eval.py
"""A GRU tagger with dropout, validated inside the training function by a flag."""

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(12)
seqs = torch.randint(0, 12, (700, 10))
tags = (seqs + seqs.roll(1, 1)) % 3
train_dl = DataLoader(TensorDataset(seqs[:560], tags[:560]), batch_size=40, shuffle=True)
valid_dl = DataLoader(TensorDataset(seqs[560:], tags[560:]), batch_size=70)


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(12, 16)
        self.gru = nn.GRU(16, 32, batch_first=True, bidirectional=True)
        self.drop = nn.Dropout(0.4)
        self.out = nn.Linear(64, 3)

    def forward(self, s):
        h, _ = self.gru(self.emb(s))
        return self.out(self.drop(h))


def epoch_loop(model, loader, optimizer=None):
    is_train = optimizer is not None
    model.train(is_train)
    total = correct = count = 0
    for s, t in loader:
        with torch.set_grad_enabled(is_train):
            logits = model(s)
            loss = nn.functional.cross_entropy(logits.flatten(0, 1), t.flatten())
        if is_train:
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        total += loss.item() * len(s)
        correct += (logits.argmax(-1) == t).sum().item()
        count += t.numel()
    return total / len(loader.dataset), correct / count


model = Tagger()
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
for epoch in range(6):
    print(epoch, epoch_loop(model, train_dl, optimizer), epoch_loop(model, valid_dl))
