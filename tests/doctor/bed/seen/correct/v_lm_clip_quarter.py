# expect: nothing
"""Word language model in the old style: SGD lr 20, clip 0.25, hidden state carried."""
import torch
from torch import nn

torch.manual_seed(13)
V, BPTT, BATCH = 30, 15, 16
TRANS = torch.rand(V, V) ** 8


def chain(n):
    ids, s = [], 0
    for _ in range(n):
        s = torch.multinomial(TRANS[s], 1).item()
        ids.append(s)
    return torch.tensor(ids)


def batchify(ids, bsz):
    n = len(ids) // bsz
    return ids[: n * bsz].view(bsz, n).t().contiguous()


class LM(nn.Module):
    def __init__(self, h=40):
        super().__init__()
        self.emb = nn.Embedding(V, h)
        self.rnn = nn.LSTM(h, h)
        self.drop = nn.Dropout(0.1)
        self.dec = nn.Linear(h, V)

    def forward(self, x, hid):
        out, hid = self.rnn(self.emb(x), hid)
        return self.dec(self.drop(out)), hid


def repackage(h):
    return None if h is None else tuple(v.detach() for v in h)


def segments(data):
    for i in range(0, len(data) - 1, BPTT):
        n = min(BPTT, len(data) - 1 - i)
        yield data[i:i + n], data[i + 1:i + 1 + n]


def evaluate(model, data):
    model.eval()
    hid, total, count = None, 0.0, 0
    with torch.no_grad():
        for x, y in segments(data):
            out, hid = model(x, hid)
            total += nn.functional.cross_entropy(out.view(-1, V), y.reshape(-1), reduction="sum").item()
            count += y.numel()
    return total / count


train, valid, test = batchify(chain(9000), BATCH), batchify(chain(1600), BATCH), batchify(chain(1600), BATCH)
model, lr, best = LM(), 20.0, None
for epoch in range(6):
    model.train()
    hid = None
    for x, y in segments(train):
        model.zero_grad()
        hid = repackage(hid)
        out, hid = model(x, hid)
        loss = nn.functional.cross_entropy(out.view(-1, V), y.reshape(-1))
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 0.25)
        with torch.no_grad():
            for p in model.parameters():
                p.add_(p.grad, alpha=-lr)
    val = evaluate(model, valid)
    if best is not None and val > best:
        lr /= 4.0
    best = val if best is None else min(best, val)
    print(f"epoch {epoch} valid {val:.3f} lr {lr}")
print(f"test {evaluate(model, test):.3f} vs uniform {torch.tensor(float(V)).log().item():.3f}")
