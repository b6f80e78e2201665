# expect: metric_wrong_axis @ 36
"""Which tags apply: the share of right answers for each tag."""
import torch
from torch import nn


class Tagger(nn.Module):
    names = ("red", "round", "heavy", "old")

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(10, 40), nn.ReLU(), nn.Linear(40, len(self.names)))

    def forward(self, x):
        return self.layers(x)


def main():
    torch.manual_seed(2)
    x = torch.randn(500, 10)
    y = (x @ torch.randn(10, 4) > 0).float()
    model = Tagger()
    opt = torch.optim.AdamW(model.parameters(), lr=5e-3)
    bce = nn.BCEWithLogitsLoss()
    for epoch in range(12):
        model.train()
        for rows in torch.randperm(400).split(40):
            loss = bce(model(x[rows]), y[rows])
            opt.zero_grad()
            loss.backward()
            opt.step()
    model.eval()
    with torch.no_grad():
        guess = (model(x[400:]) > 0).float()
    right = guess == y[400:]
    share = right.float().mean(1)
    for k, name in enumerate(model.names):
        print(name, f"{share[k].item():.3f}")


main()
