# expect: nothing
"""Word language model: clip 0.25 with plain SGD at lr 20, repackaged hidden state, annealed by validation loss."""
import math
import random

import torch
import torch.nn as nn

random.seed(15)
torch.manual_seed(15)
GRAMMAR = [["the", "a"], ["cat", "dog", "bird"], ["sees", "likes"], ["the", "a"], ["tree", "ball", "house"], ["."]]
words = [random.choice(slot) for _ in range(1500) for slot in GRAMMAR]
vocab = {w: i for i, w in enumerate(dict.fromkeys(words))}
ids = torch.tensor([vocab[w] for w in words])
n = len(ids)


def batchify(x, bsz):
    k = len(x) // bsz
    return x[: k * bsz].view(bsz, k).t().contiguous()


train, val, test = batchify(ids[: int(0.8 * n)], 20), batchify(ids[int(0.8 * n):int(0.9 * n)], 10), batchify(ids[int(0.9 * n):], 10)
BPTT = 20


class RNNModel(nn.Module):
    def __init__(self, ntoken, dim=24):
        super().__init__()
        self.encoder = nn.Embedding(ntoken, dim)
        self.rnn = nn.LSTM(dim, dim)
        self.drop = nn.Dropout(0.1)
        self.decoder = nn.Linear(dim, ntoken)
        nn.init.uniform_(self.encoder.weight, -0.1, 0.1)

    def forward(self, x, hidden):
        out, hidden = self.rnn(self.drop(self.encoder(x)), hidden)
        return self.decoder(self.drop(out)).flatten(0, 1), hidden


model, criterion, lr = RNNModel(len(vocab)), nn.CrossEntropyLoss(), 20.0


def run(data, optimizer=None):
    model.train(optimizer is not None)
    hidden, total = None, 0.0
    with torch.set_grad_enabled(optimizer is not None):
        for i in range(0, len(data) - 1, BPTT):
            k = min(BPTT, len(data) - 1 - i)
            out, hidden = model(data[i:i + k], hidden)
            hidden = tuple(h.detach() for h in hidden)
            loss = criterion(out, data[i + 1:i + 1 + k].flatten())
            if optimizer is not None:
                optimizer.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(model.parameters(), 0.25)
                optimizer.step()
            total += k * loss.item()
    return total / (len(data) - 1)


best = float("inf")
optimizer = torch.optim.SGD(model.parameters(), lr=lr)
for epoch in range(8):
    tr, va = run(train, optimizer), run(val)
    print(f"epoch {epoch} train {tr:.3f} val {va:.3f} lr {optimizer.param_groups[0]['lr']}")
    if va < best:
        best = va
    else:
        optimizer.param_groups[0]["lr"] /= 4
print(f"test perplexity {math.exp(run(test)):.2f}")
