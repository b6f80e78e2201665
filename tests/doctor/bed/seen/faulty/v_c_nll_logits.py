# expect: nll_without_log_softmax @ 41
# allowed: nll_without_log_softmax @ 40
# allowed: nll_without_log_softmax @ 45
# allowed: nll_without_log_softmax @ 60
"""Name-origin classifier: characters, a hand-written RNN cell, NLL loss (as in the well-known tutorial)."""
import random

import torch
import torch.nn as nn

random.seed(80)
torch.manual_seed(80)
STEMS = {"italian": ["rossi", "bianchi", "ferrari", "conti", "marino"], "german": ["schmidt", "weber", "kraus", "vogt", "lang"],
         "japanese": ["sato", "tanaka", "ito", "yamada", "kimura"]}
LETTERS = "abcdefghijklmnopqrstuvwxyz"
CATS = sorted(STEMS)


def make_name(cat):
    a, b = random.sample(STEMS[cat], 2)
    return a[: random.randint(2, 4)] + b[-random.randint(2, 4):]


def to_tensor(name):
    t = torch.zeros(len(name), 1, 26)
    for i, ch in enumerate(name):
        t[i, 0, LETTERS.index(ch)] = 1
    return t


class RNN(nn.Module):
    def __init__(self, n_in, n_hidden, n_out):
        super().__init__()
        self.n_hidden = n_hidden
        self.i2h = nn.Linear(n_in + n_hidden, n_hidden)
        self.h2o = nn.Linear(n_hidden, n_out)

    def forward(self, x, hidden):
        hidden = torch.tanh(self.i2h(torch.cat((x, hidden), 1)))
        out = self.h2o(hidden)
        return out, hidden


rnn = RNN(26, 32, len(CATS))
criterion = nn.NLLLoss()
optimizer = torch.optim.SGD(rnn.parameters(), lr=0.05)


def run(name):
    hidden = torch.zeros(1, rnn.n_hidden)
    for x in to_tensor(name):
        out, hidden = rnn(x, hidden)
    return out


total = 0.0
for it in range(1, 1201):
    k = random.randrange(len(CATS))
    optimizer.zero_grad()
    loss = criterion(run(make_name(CATS[k])), torch.tensor([k]))
    loss.backward()
    nn.utils.clip_grad_norm_(rnn.parameters(), 5.0)
    optimizer.step()
    total += loss.item()
    if it % 300 == 0:
        print(f"{it}: loss {total / 300:.4f}")
        total = 0.0

with torch.no_grad():
    right = 0
    for j in range(300):
        right += int(run(make_name(CATS[j % 3])).argmax() == j % 3)
print("accuracy on new names:", right / 300)
