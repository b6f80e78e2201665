# expect: nothing
"""Classifies synthetic sequences with a GRU encoder and a linear head that have one optimizer each."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(3)
N, T = 600, 12
x = torch.randn(N, T, 4)
y = (x[:, :, 0].mean(1) + x[:, -3:, 1].mean(1) > 0).long()
train = DataLoader(TensorDataset(x[:480], y[:480]), batch_size=32, shuffle=True)
x_te, y_te = x[480:], y[480:]


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(4, 24, batch_first=True)

    def forward(self, seq):
        _, h = self.gru(seq)
        return h[-1]


encoder, head = Encoder(), nn.Linear(24, 2)
opt_enc = torch.optim.SGD(encoder.parameters(), lr=0.2, momentum=0.9)
opt_head = torch.optim.SGD(head.parameters(), lr=0.2, momentum=0.9)
criterion = nn.CrossEntropyLoss()


def update(seq, target):
    opt_head.zero_grad()
    opt_enc.zero_grad()
    loss = criterion(head(encoder(seq)), target)
    loss.backward()
    opt_enc.step()
    opt_head.step()
    return loss.item()


for epoch in range(12):
    encoder.train()
    head.train()
    running = sum(update(a, b) * len(a) for a, b in train) / 480
    print(f"epoch {epoch} loss {running:.4f}")
encoder.eval()
head.eval()
with torch.no_grad():
    acc = (head(encoder(x_te)).argmax(1) == y_te).float().mean().item()
print(f"test accuracy {acc:.3f}")
