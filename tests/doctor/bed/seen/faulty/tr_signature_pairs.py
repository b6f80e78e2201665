# expect: sigmoid_before_bce_with_logits @ 32
"""Signature verification: is the second drawing by the hand of the first? One pair at a time is scored."""
import torch
from torch import nn

torch.manual_seed(31)
WRITERS, EACH, WIDTH = 24, 8, 14
styles = torch.randn(WRITERS, WIDTH)
drawings = styles[:, None] + 0.35 * torch.randn(WRITERS, EACH, WIDTH)


def draw_pairs(count):
    first = torch.randint(WRITERS, (count,))
    genuine = torch.rand(count) < 0.5
    second = torch.where(genuine, first, (first + torch.randint(1, WRITERS, (count,))) % WRITERS)
    left = drawings[first, torch.randint(EACH, (count,))]
    right = drawings[second, torch.randint(EACH, (count,))]
    return left, right, genuine.float()


class Verifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.describe = nn.Sequential(nn.Linear(WIDTH, 32), nn.ReLU(), nn.Linear(32, 16))
        self.judge = nn.Sequential(nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 1))

    def forward(self, left, right):
        chunks = zip(left.split(16), right.split(16))
        scores = []
        for a, b in chunks:
            apart = (self.describe(a) - self.describe(b)).abs()
            scores.append(torch.sigmoid(self.judge(apart)))
        return torch.vstack(scores)[:, 0]


net, criterion = Verifier(), nn.BCEWithLogitsLoss()
optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
for step in range(200):
    left, right, genuine = draw_pairs(64)
    loss = criterion(net(left, right), genuine)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 50 == 49:
        print(f"step {step + 1}: loss {loss.item():.4f}")
