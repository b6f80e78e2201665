# expect: nothing
"""BYOL-style self-supervision on digits: online and target branch, then a linear read-out of the frozen features."""
import copy

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn


def mlp(a, b, c):
    return nn.Sequential(nn.Linear(a, b), nn.BatchNorm1d(b), nn.ReLU(), nn.Linear(b, c))


class BYOL(nn.Module):
    def __init__(self, dim=48, tau=0.98):
        super().__init__()
        self.tau = tau
        self.encoder = mlp(64, 128, dim)
        self.projector = mlp(dim, 64, 24)
        self.predictor = mlp(24, 48, 24)
        self.slow = copy.deepcopy(nn.Sequential(self.encoder, self.projector)).requires_grad_(False)

    def online_parameters(self):
        return [p for p in self.parameters() if p.requires_grad]

    def forward(self, a, b):
        with torch.no_grad():
            ta, tb = self.slow(a), self.slow(b)
        pa = self.predictor(self.projector(self.encoder(a)))
        pb = self.predictor(self.projector(self.encoder(b)))
        return 2 - F.cosine_similarity(pa, tb).mean() - F.cosine_similarity(pb, ta).mean()

    @torch.no_grad()
    def follow(self):
        fast = nn.Sequential(self.encoder, self.projector)
        for s, f in zip(self.slow.parameters(), fast.parameters()):
            s.lerp_(f, 1 - self.tau)


def augment(x):
    img = x.view(-1, 8, 8)
    shift = torch.randint(-1, 2, (2,)).tolist()
    img = torch.roll(img, shift, dims=(1, 2)).flatten(1)
    return img * (torch.rand_like(img) > 0.15) + 0.1 * torch.randn_like(img)


@torch.no_grad()
def features(model, x):
    model.eval()
    return model.encoder(x)


def linear_readout(train, y, test, epochs=14):
    mean, std = train.mean(0), train.std(0) + 1e-6
    train, test = (train - mean) / std, (test - mean) / std
    head = nn.Linear(train.shape[1], 10)
    opt = torch.optim.Adam(head.parameters(), lr=1e-2, weight_decay=1e-4)
    for _ in range(epochs):
        for idx in torch.randperm(len(train)).split(64):
            loss = F.cross_entropy(head(train[idx]), y[idx])
            opt.zero_grad()
            loss.backward()
            opt.step()
    with torch.no_grad():
        return head(test).argmax(dim=1)


def main():
    torch.manual_seed(23)
    X, Y = load_digits(return_X_y=True)
    xa, xb, ya, yb = train_test_split(X / 8.0 - 1.0, Y, test_size=0.25, stratify=Y, random_state=23)
    xa, xb = torch.tensor(xa, dtype=torch.float32), torch.tensor(xb, dtype=torch.float32)
    ya, yb = torch.tensor(ya), torch.tensor(yb)

    model = BYOL()
    opt = torch.optim.Adam(model.online_parameters(), lr=2e-3, weight_decay=1e-5)
    for epoch in range(12):
        model.train()
        total, count = 0.0, 0
        for idx in torch.randperm(len(xa)).split(128):
            loss = model(augment(xa[idx]), augment(xa[idx]))
            opt.zero_grad()
            loss.backward()
            opt.step()
            model.follow()
            total, count = total + loss.item(), count + 1
        if epoch % 4 == 3:
            print(f"epoch {epoch + 1}  loss {total / count:.4f}")
    guess = linear_readout(features(model, xa), ya, features(model, xb))
    print(f"linear read-out accuracy {(guess == yb).float().mean().item():.4f}")


main()
