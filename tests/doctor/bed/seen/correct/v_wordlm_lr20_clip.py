# expect: nothing
"""Word-level LSTM language model in the classic style: SGD with lr 20 and the gradient clipped to 0.25."""
import math
import random
import torch
from torch import nn

NOUN, VERB, ADJ = "cat dog bird fish king".split(), "sees likes hunts finds".split(), "old red big shy".split()
VOCAB = {w: i for i, w in enumerate(NOUN + VERB + ADJ + ["the", "a", "."])}


def corpus(n, seed):
    r = random.Random(seed)
    out = []
    for _ in range(n):
        for role in ("the", "a"):
            out += [role] + ([r.choice(ADJ)] if r.random() < 0.5 else []) + [r.choice(NOUN)]
            out += [r.choice(VERB)] if role == "the" else ["."]
    return torch.tensor([VOCAB[w] for w in out])


class LM(nn.Module):
    def __init__(self, v, d=32):
        super().__init__()
        self.emb, self.drop = nn.Embedding(v, d), nn.Dropout(0.1)
        self.rnn, self.dec = nn.LSTM(d, d), nn.Linear(d, v)
        nn.init.uniform_(self.emb.weight, -0.1, 0.1)

    def forward(self, x, h):
        y, h = self.rnn(self.drop(self.emb(x)), h)
        return self.dec(self.drop(y)), h


def batchify(ids, b):
    n = len(ids) // b
    return ids[:n * b].view(b, n).t().contiguous()


def evaluate(model, data, loss_fn, bptt=16):
    model.eval()
    total, h = 0.0, None
    with torch.no_grad():
        for i in range(0, len(data) - 1, bptt):
            k = min(bptt, len(data) - 1 - i)
            out, h = model(data[i:i + k], h)
            total += k * loss_fn(out.flatten(0, 1), data[i + 1:i + 1 + k].flatten()).item()
    return total / (len(data) - 1)


torch.manual_seed(0)
train, valid = batchify(corpus(1500, 0), 20), batchify(corpus(200, 1), 10)
model, loss_fn, lr, best = LM(len(VOCAB)), nn.CrossEntropyLoss(), 20.0, None
for epoch in range(5):
    model.train()
    h = None
    for i in range(0, len(train) - 1, 16):
        k = min(16, len(train) - 1 - i)
        if h is not None:
            h = tuple(t.detach() for t in h)
        model.zero_grad()
        out, h = model(train[i:i + k], h)
        loss = loss_fn(out.flatten(0, 1), train[i + 1:i + 1 + k].flatten())
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 0.25)
        for p in model.parameters():
            p.data.add_(p.grad, alpha=-lr)
    val = evaluate(model, valid, loss_fn)
    print(f"epoch {epoch} lr {lr} valid ppl {math.exp(val):.2f}")
    if best is None or val < best:
        best = val
    else:
        lr /= 4
