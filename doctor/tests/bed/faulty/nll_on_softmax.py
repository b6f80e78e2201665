# expect: nll_without_log_softmax @ 36
# allowed: nll_without_log_softmax @ 42
# mend: 36 →         self.softmax = nn.LogSoftmax(dim=1)
"""Names and languages, by RNN, with probabilities where log-probabilities are expected."""

import random
import string

import torch
from torch import nn

torch.manual_seed(0)
random.seed(0)
letters = string.ascii_lowercase
endings = {0: "ski", 1: "ini", 2: "sen"}


def make_name():
    label = random.randrange(3)
    return "".join(random.choices(letters, k=4)) + endings[label], label


def encode(name):
    t = torch.zeros(len(name), 1, 26)
    for i, c in enumerate(name):
        t[i, 0, letters.index(c)] = 1
    return t


class RNN(nn.Module):
    def __init__(self, n_in, n_hidden, n_out):
        super().__init__()
        self.hidden_size = n_hidden
        self.i2h = nn.Linear(n_in + n_hidden, n_hidden)
        self.h2o = nn.Linear(n_hidden, n_out)
        self.softmax = nn.Softmax(dim=1)

    def forward(self, line):
        h = torch.zeros(1, self.hidden_size)
        for x in line:
            h = torch.tanh(self.i2h(torch.cat((x, h), 1)))
        return self.softmax(self.h2o(h))


rnn = RNN(26, 32, 3)
criterion = nn.NLLLoss()
optimizer = torch.optim.Adam(rnn.parameters(), lr=3e-3)
running = 0.0
for i in range(1, 241):
    name, label = make_name()
    loss = criterion(rnn(encode(name)), torch.tensor([label]))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    running += loss.item()
    if i % 60 == 0:
        print(f"{i} {i / 240:.0%} loss {running / 60:.4f}")
        running = 0.0
