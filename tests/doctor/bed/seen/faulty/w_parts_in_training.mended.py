# expect: nothing
"""A net with two parts; the figure is taken from the parts by hand."""
import torch
from torch import nn


class Reader(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(10, 64), nn.ReLU(), nn.Dropout(0.5))
        self.head = nn.Linear(64, 4)

    def forward(self, x):
        return self.head(self.encoder(x))


torch.manual_seed(1)
y = torch.arange(480) % 4
x = 1.5 * torch.randn(4, 10)[y] + torch.randn(480, 10)
model = Reader()
opt = torch.optim.AdamW(model.parameters(), lr=2e-3)
loss_of = nn.CrossEntropyLoss()


def epoch():
    model.train()
    for i in torch.randperm(400).split(40):
        loss = loss_of(model(x[i]), y[i])
        opt.zero_grad()
        loss.backward()
        opt.step()


for _ in range(10):
    epoch()


model.eval()
with torch.no_grad():
    codes = model.encoder(x[400:])
    said = model.head(codes).argmax(dim=1)
    print("right", (said == y[400:]).float().mean().item())
