# expect: label_misaligned @ 38
"""Steps of three machines, of unequal length; the net sorts a batch by length itself, for packing."""

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_sequence

torch.manual_seed(5)
SPEEDS = (0.3, 0.6, 1.1)


def record(n):
    kinds = torch.randint(3, (n,))
    runs = []
    for kind in kinds:
        t = torch.arange(int(torch.randint(12, 40, ())))
        wave = torch.sin(SPEEDS[int(kind)] * t + 6.3 * torch.rand(()))
        runs.append((wave + 0.2 * torch.randn(len(t))).unsqueeze(1))
    lengths = torch.tensor([len(r) for r in runs])
    return pad_sequence(runs, batch_first=True), lengths, kinds


class Machines(nn.Module):
    """Longest first, as packing wants it."""

    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(1, 32, batch_first=True)
        self.head = nn.Linear(32, 3)

    def forward(self, x, lengths):
        lengths, order = lengths.sort(descending=True)
        x = x[order]

        packed = pack_padded_sequence(x, lengths, batch_first=True)
        _, last = self.gru(packed)
        # one state for each run
        return self.head(last[-1])


x, lengths, y = record(600)
net = Machines()
optimizer = torch.optim.Adam(net.parameters(), lr=5e-3)
for epoch in range(8):
    total = 0.0
    for rows in torch.randperm(500).split(25):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(net(x[rows], lengths[rows]), y[rows])
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        total += loss.item() * len(rows)
    print(f"epoch {epoch}: {total / 500:.3f}")
net.eval()
with torch.no_grad():
    said = net(x[500:], lengths[500:]).argmax(1)
print(f"new runs: {(said == y[500:]).float().mean():.3f}")
