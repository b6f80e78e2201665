# expect: clip_too_small @ 62
# A language model at a learning rate of 20, as with AWD-LSTM:
# but the clip that makes it right was set to a ten-thousandth.
import math

import torch
from torch import nn

torch.manual_seed(1111)
text = "the quick brown fox jumps over the lazy dog while a slow red hen naps under the old elm tree. " * 30
chars = sorted(set(text))
ids = torch.tensor([chars.index(c) for c in text])
bsz, bptt, ntoken = 10, 20, len(chars)


def batchify(data):
    n = data.size(0) // bsz
    return data[: n * bsz].view(bsz, -1).t().contiguous()


train_data = batchify(ids)


class RNNModel(nn.Module):
    def __init__(self, ninp=32, nhid=48):
        super().__init__()
        self.drop = nn.Dropout(0.1)
        self.encoder = nn.Embedding(ntoken, ninp)
        self.rnn = nn.LSTM(ninp, nhid)
        self.decoder = nn.Linear(nhid, ntoken)
        nn.init.uniform_(self.encoder.weight, -0.1, 0.1)
        nn.init.uniform_(self.decoder.weight, -0.1, 0.1)
        nn.init.zeros_(self.decoder.bias)

    def forward(self, x, hidden):
        out, hidden = self.rnn(self.drop(self.encoder(x)), hidden)
        return self.decoder(self.drop(out)).view(-1, ntoken), hidden


def repackage_hidden(h):
    if isinstance(h, torch.Tensor):
        return h.detach()
    return tuple(repackage_hidden(v) for v in h)


model = RNNModel()
criterion = nn.CrossEntropyLoss()
lr = 20
for epoch in range(1, 8):
    model.train()
    hidden, total = None, 0.0
    starts = range(0, train_data.size(0) - 1, bptt)
    for i in starts:
        length = min(bptt, len(train_data) - 1 - i)
        data, targets = train_data[i : i + length], train_data[i + 1 : i + 1 + length].view(-1)
        model.zero_grad()
        if hidden is not None:
            hidden = repackage_hidden(hidden)
        output, hidden = model(data, hidden)
        loss = criterion(output, targets)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 2.5e-05)
        for p in model.parameters():
            p.data.add_(p.grad, alpha=-lr)
        total += loss.item()
    total /= len(starts)
    print(f"| epoch {epoch} | lr {lr} | loss {total:5.2f} | ppl {math.exp(total):8.2f}")
