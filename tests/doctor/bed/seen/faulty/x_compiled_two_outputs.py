# expect: softmax_before_cross_entropy @ 19
"""A compiled net with two outputs: probabilities of the class and a reconstruction of the row."""

import torch
import torch.nn.functional as F
from sklearn.datasets import load_wine
from torch import nn


class Net(nn.Module):
    def __init__(self, d, classes):
        super().__init__()
        self.encode = nn.Linear(d, 24)
        self.classify = nn.Linear(24, classes)
        self.decode = nn.Linear(24, d)

    def forward(self, x):
        h = torch.relu(self.encode(x))
        return self.classify(h).softmax(dim=1), self.decode(h)


def train_step(model, opt, x, y):
    opt.zero_grad()
    scores, rebuilt = model(x)
    loss = F.cross_entropy(scores, y) + 0.1 * F.mse_loss(rebuilt, x)
    loss.backward()
    opt.step()
    return loss.item()


def main():
    torch.manual_seed(31)
    wine = load_wine()
    x = torch.tensor(wine.data, dtype=torch.float32)
    x = (x - x.mean(0)) / x.std(0)
    y = torch.tensor(wine.target)
    net = Net(13, 3)
    model = torch.compile(net, backend="eager")
    opt = torch.optim.Adam(net.parameters(), lr=5e-3)
    for epoch in range(12):
        losses = [train_step(model, opt, x[rows], y[rows]) for rows in torch.randperm(len(x))[:160].split(32)]
        if epoch % 4 == 0:
            print(f"epoch {epoch:2d}  loss {sum(losses) / len(losses):.4f}")
    net.eval()
    with torch.no_grad():
        print("accuracy on all rows:", (net(x)[0].argmax(1) == y).float().mean().item())


if __name__ == "__main__":
    main()
