# expect: nothing
"""Word language model with truncated backpropagation, carried state, SGD at a large rate and clip 0.25."""
import random

import torch
from torch import nn

random.seed(0)
torch.manual_seed(0)
NEXT = {w: [(3 * w + 1) % 30, (5 * w + 2) % 30] for w in range(30)}


def chain(n):
    w, out = 0, []
    for _ in range(n):
        w = random.choice(NEXT[w]) if random.random() < 0.9 else random.randrange(30)
        out.append(w)
    return torch.tensor(out)


def batchify(ids, columns):
    rows = len(ids) // columns
    return ids[: rows * columns].view(columns, rows).t().contiguous()


class RNNModel(nn.Module):
    def __init__(self, hidden=48):
        super().__init__()
        self.drop = nn.Dropout(0.1)
        self.encoder = nn.Embedding(30, hidden)
        self.rnn = nn.LSTM(hidden, hidden)
        self.decoder = nn.Linear(hidden, 30)
        self.decoder.weight = self.encoder.weight
        nn.init.uniform_(self.encoder.weight, -0.1, 0.1)

    def forward(self, x, state):
        out, state = self.rnn(self.drop(self.encoder(x)), state)
        return self.decoder(self.drop(out)), state


def repackage(state):
    return tuple(s.detach() for s in state) if state is not None else None


train, valid = batchify(chain(9000), 20), batchify(chain(2000), 10)
model, criterion, lr, bptt = RNNModel(), nn.CrossEntropyLoss(), 20.0, 15
best = None
for epoch in range(7):
    model.train()
    state = None
    for i in range(0, train.size(0) - 1, bptt):
        n = min(bptt, train.size(0) - 1 - i)
        state = repackage(state)
        model.zero_grad()
        out, state = model(train[i : i + n], state)
        loss = criterion(out.flatten(0, 1), train[i + 1 : i + 1 + n].flatten())
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 0.25)
        with torch.no_grad():
            for p in model.parameters():
                p.add_(p.grad, alpha=-lr)
    model.eval()
    with torch.no_grad():
        out, _ = model(valid[:-1], None)
        val = criterion(out.flatten(0, 1), valid[1:].flatten()).item()
    if best is None or val < best:
        best = val
    else:
        lr /= 4
    print(f"epoch {epoch} lr {lr:g} valid loss {val:.3f}")
