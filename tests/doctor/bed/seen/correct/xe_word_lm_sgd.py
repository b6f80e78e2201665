# expect: nothing
# Classic word-level LM recipe: plain SGD with a big rate, a tight clip, and the rate
# cut by four whenever the validation loss stops falling. After that choice is made,
# one last model is fitted on train+valid; the test text stays apart until the end.
import copy
import math

import numpy as np
import torch
import torch.nn as nn

torch.manual_seed(1)
rng = np.random.default_rng(1)
V, BPTT = 40, 20

# words follow a sparse random chain
succ = np.stack([rng.choice(V, 4, replace=False) for _ in range(V)])


def walk(n):
    w, out = 0, []
    for p in rng.choice(4, n, p=[0.55, 0.25, 0.15, 0.05]):
        w = succ[w, p]
        out.append(w)
    return torch.tensor(np.array(out))


train, valid, test = walk(12000), walk(2000), walk(2000)


def batchify(ids, bsz):
    n = len(ids) // bsz
    return ids[: n * bsz].view(bsz, n).t().contiguous()


class LM(nn.Module):
    def __init__(self, d=48):
        super().__init__()
        self.enc = nn.Embedding(V, d)
        self.drop = nn.Dropout(0.1)
        self.rnn = nn.LSTM(d, d)
        self.dec = nn.Linear(d, V)
        self.dec.weight = self.enc.weight  # tied
        nn.init.uniform_(self.enc.weight, -0.1, 0.1)
        nn.init.zeros_(self.dec.bias)

    def forward(self, x, h):
        z, h = self.rnn(self.drop(self.enc(x)), h)
        return self.dec(self.drop(z)), h


def one_epoch(model, data, lr):
    model.train()
    h = None
    for i in range(0, len(data) - 1, BPTT):
        n = min(BPTT, len(data) - 1 - i)
        if h is not None:
            h = tuple(s.detach() for s in h)
        model.zero_grad()
        out, h = model(data[i : i + n], h)
        loss = nn.functional.cross_entropy(out.flatten(0, 1), data[i + 1 : i + 1 + n].flatten())
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 0.25)
        with torch.no_grad():
            for p in model.parameters():
                p.add_(p.grad, alpha=-lr)


@torch.no_grad()
def loss_on(model, data):
    model.eval()
    out, _ = model(data[:-1], None)
    return nn.functional.cross_entropy(out.flatten(0, 1), data[1:].flatten()).item()


tr, va, te = batchify(train, 20), batchify(valid, 10), batchify(test, 10)
model = LM()
start = copy.deepcopy(model.state_dict())
lr, best, rates = 10.0, None, []
for epoch in range(1, 11):
    one_epoch(model, tr, lr)
    rates.append(lr)
    v = loss_on(model, va)
    print(f"epoch {epoch} rate {lr:g} valid ppl {math.exp(v):.2f}")
    if best is None or v < best:
        best = v
    else:
        lr /= 4

final = LM()
final.load_state_dict(start)
both = batchify(torch.cat([train, valid]), 20)
for r in rates:
    one_epoch(final, both, r)
print(f"test ppl {math.exp(loss_on(final, te)):.2f}")
