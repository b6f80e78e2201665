# expect: nothing
"""Character model that unrolls its own cell, time first; log-probabilities for NLLLoss."""

import torch
from torch import nn
from torch.nn import functional as F

text = "to be or not to be that is the question " * 25
chars = sorted(set(text))
stoi = {c: i for i, c in enumerate(chars)}
codes = torch.tensor([stoi[c] for c in text])


class CharRNN(nn.Module):
    def __init__(self, vocab, hidden=40):
        super().__init__()
        self.hidden = hidden
        self.embed = nn.Embedding(vocab, 16)
        self.cell = nn.GRUCell(16, hidden)
        self.out = nn.Linear(hidden, vocab)
        self.log_softmax = nn.LogSoftmax(dim=2)

    def forward(self, tokens_TB, h=None):
        h = torch.zeros(tokens_TB.shape[1], self.hidden) if h is None else h
        outputs = []
        for x in self.embed(tokens_TB):
            h = self.cell(x, h)
            outputs.append(self.out(h))
        return self.log_softmax(torch.stack(outputs)), h


def batch(length=20, size=16):
    start = torch.randint(len(codes) - length - 1, (size,))
    window = torch.stack([codes[s : s + length + 1] for s in start], 1)
    return window[:-1], window[1:]


torch.manual_seed(4)
net = CharRNN(len(chars))
opt = torch.optim.Adam(net.parameters(), lr=5e-3)
for it in range(61):
    x, y = batch()
    log_p, _ = net(x)
    loss = F.nll_loss(log_p.reshape(-1, len(chars)), y.reshape(-1))
    opt.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(net.parameters(), 5.0)
    opt.step()
    if it % 20 == 0:
        with torch.no_grad():
            hit = (log_p.argmax(2) == y).float().mean().item()
        print(f"it {it} loss {loss.item():.4f} next character right {hit:.3f}")
