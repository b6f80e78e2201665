# expect: no_step @ 55
# allowed: no_step @ 14
# allowed: no_step @ 54
# allowed: no_step @ 56
# allowed: no_step @ 57
"""Fine-grained accumulation training of a small 1-D conv net on synthetic sensor windows."""
import argparse
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset

parser = argparse.ArgumentParser()
parser.add_argument("--accum", type=int, default=16)
parser.add_argument("--epochs", type=int, default=20)
parser.add_argument("--lr", type=float, default=5e-3)
args = parser.parse_args()
torch.manual_seed(1)


def windows(n):
    freq = torch.randint(0, 4, (n,))
    t = torch.linspace(0, 1, 48)
    phase = torch.rand(n, 1) * 6.28
    x = torch.sin(2 * torch.pi * (freq[:, None] * 3 + 2) * t + phase) + 0.4 * torch.randn(n, 48)
    return x.unsqueeze(1), freq


class ConvNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.c1 = nn.Conv1d(1, 16, 7, padding=3)
        self.c2 = nn.Conv1d(16, 16, 5, padding=2)
        self.out = nn.Linear(16, 4)

    def forward(self, x):
        x = F.max_pool1d(F.relu(self.c1(x)), 2)
        x = F.relu(self.c2(x))
        return self.out(x.amax(-1))


x_train, y_train = windows(480)
x_test, y_test = windows(200)
loader = DataLoader(TensorDataset(x_train, y_train), batch_size=48, shuffle=True)
model = ConvNet()
optimizer = torch.optim.AdamW(model.parameters(), lr=args.lr)

optimizer.zero_grad()
for epoch in range(args.epochs):
    epoch_loss = 0.0
    for i, (xb, yb) in enumerate(loader):
        loss = F.cross_entropy(model(xb), yb)
        epoch_loss += loss.item()
        (loss / min(args.accum, len(loader))).backward()
        if (i + 1) % args.accum == 0:
            optimizer.step()
            optimizer.zero_grad()
    if epoch % 5 == 4:
        print(f"epoch {epoch}: loss {epoch_loss / len(loader):.4f}")

model.eval()
with torch.no_grad():
    acc = (model(x_test).argmax(1) == y_test).float().mean().item()
print(f"test accuracy {acc:.3f}")
