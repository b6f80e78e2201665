# expect: nothing
"""Siamese network that tells whether two digit pictures show the same number (contrastive loss)."""
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split


class Encoder(nn.Module):
    def __init__(self, dim=16):
        super().__init__()
        self.hidden = nn.Linear(64, 96)
        self.project = nn.Linear(96, dim)

    def forward(self, x):
        h = F.relu(self.hidden(x))
        return F.normalize(self.project(h), dim=1)


def pairs(x, y, n, g):
    i = torch.randint(0, len(x), (n,), generator=g)
    j = torch.randint(0, len(x), (n,), generator=g)
    for k in range(0, n, 2):
        same = torch.nonzero(y == y[i[k]]).flatten()
        j[k] = same[torch.randint(0, len(same), (1,), generator=g)]
    return x[i], x[j], (y[i] == y[j]).float()


def contrastive(a, b, same, margin=1.0):
    d = (a - b).norm(dim=1)
    return (same * d ** 2 + (1 - same) * F.relu(margin - d) ** 2).mean()


def pair_accuracy(enc, a, b, same):
    enc.eval()
    with torch.no_grad():
        d = (enc(a) - enc(b)).norm(dim=1)
    return ((d < 0.5).float() == same).float().mean().item()


def main():
    torch.manual_seed(0)
    g = torch.Generator().manual_seed(1)
    X, y = load_digits(return_X_y=True)
    xa, xb, ya, yb = train_test_split(torch.tensor(X / 16.0, dtype=torch.float32), torch.tensor(y),
                                      test_size=0.25, random_state=0)
    enc = Encoder()
    opt = torch.optim.Adam(enc.parameters(), lr=2e-3)
    test = pairs(xb, yb, 600, g)
    for epoch in range(10):
        enc.train()
        a, b, same = pairs(xa, ya, 1200, g)
        for idx in torch.randperm(len(a)).split(60):
            opt.zero_grad()
            loss = contrastive(enc(a[idx]), enc(b[idx]), same[idx])
            loss.backward()
            opt.step()
        if epoch % 3 == 0:
            print(f"epoch {epoch} loss {loss.item():.4f} pair accuracy {pair_accuracy(enc, *test):.3f}")


if __name__ == "__main__":
    main()
