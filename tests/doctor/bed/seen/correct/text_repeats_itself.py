# expect: nothing
"""Windows of a text that repeats itself stand in training and validation alike."""

import torch
from torch import nn

torch.manual_seed(0)
text = "the cat sat on the mat. the dog sat on the log. " * 30
chars = sorted(set(text))
ids = torch.tensor([chars.index(c) for c in text])
train_ids, val_ids = ids[:1100], ids[1100:]
T = 12


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(len(chars), 16)
        self.rnn = nn.GRU(16, 32, batch_first=True)
        self.out = nn.Linear(32, len(chars))

    def forward(self, x):
        return self.out(self.rnn(self.emb(x))[0])


def batch(source, n=24):
    start = torch.randint(0, len(source) - T - 1, (n,))
    return torch.stack([source[s : s + T] for s in start]), torch.stack(
        [source[s + 1 : s + T + 1] for s in start]
    )


model = Model()
opt = torch.optim.Adam(model.parameters(), lr=0.01)
for step in range(60):
    x, y = batch(train_ids)
    loss = nn.functional.cross_entropy(model(x).flatten(0, 1), y.flatten())
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 20 == 19:
        model.eval()
        with torch.no_grad():
            x, y = batch(val_ids)
            val = nn.functional.cross_entropy(model(x).flatten(0, 1), y.flatten()).item()
        model.train()
        print(step, loss.item(), val)
