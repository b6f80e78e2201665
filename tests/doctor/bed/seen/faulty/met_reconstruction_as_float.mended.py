# expect: nothing
# A method that makes the whole loss takes one of its terms as a float. Mended.
import torch
from torch import nn
from torch.nn import functional as F

torch.manual_seed(3)
codes = torch.randint(0, 4, (800,))
x = F.one_hot(codes, 4).float() @ torch.randn(4, 16) + 0.4 * torch.randn(800, 16)


class SemiSupervised(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(16, 32), nn.ELU(), nn.Linear(32, 8))
        self.decoder = nn.Sequential(nn.Linear(8, 32), nn.ELU(), nn.Linear(32, 16))
        self.classifier = nn.Linear(8, 4)

    def total_loss(self, x, y, beta=0.5):
        z = self.encoder(x)
        supervised = F.cross_entropy(self.classifier(z), y)
        rebuilt = F.mse_loss(self.decoder(z), x)
        return supervised + beta * rebuilt, rebuilt.item()


model = SemiSupervised()
optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
for epoch in range(10):
    shown = 0.0
    for rows in torch.randperm(len(x)).split(80):
        loss, rebuilt = model.total_loss(x[rows], codes[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        shown += rebuilt
    print(epoch, round(loss.item(), 3), round(shown / 10, 3))
