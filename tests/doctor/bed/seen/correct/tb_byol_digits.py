# expect: nothing
"""BYOL on digits without labels, then a linear probe on the frozen encoder; the momentum target takes no gradient."""
import copy

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn


class TwoViews:
    """Random shift by a pixel, pixel noise and a random gain."""

    def __call__(self, images):
        return self.view(images), self.view(images)

    def view(self, images):
        dy, dx = torch.randint(-1, 2, (2,)).tolist()
        moved = torch.roll(images, (dy, dx), dims=(1, 2))
        gain = 0.8 + 0.4 * torch.rand(len(images), 1, 1)
        return (moved * gain + 0.15 * torch.randn_like(moved)).flatten(1)


def mlp(n_in, hidden, n_out):
    return nn.Sequential(nn.Linear(n_in, hidden), nn.BatchNorm1d(hidden), nn.ReLU(inplace=True), nn.Linear(hidden, n_out))


class BYOL(nn.Module):
    def __init__(self, dim=64, momentum=0.98):
        super().__init__()
        self.online = nn.ModuleDict({"encoder": mlp(64, 128, dim), "projector": mlp(dim, 64, 32)})
        self.target = copy.deepcopy(self.online)
        self.target.requires_grad_(False)
        self.predictor = mlp(32, 64, 32)
        self.momentum = momentum

    @staticmethod
    def project(branch, x):
        return branch["projector"](branch["encoder"](x))

    def forward(self, a, b):
        loss = 0.0
        for here, there in ((a, b), (b, a)):
            guess = self.predictor(self.project(self.online, here))
            with torch.no_grad():
                wanted = self.project(self.target, there)
            loss = loss + 2 - 2 * F.cosine_similarity(guess, wanted, dim=1).mean()
        return loss

    @torch.no_grad()
    def update_target(self):
        for slow, fast in zip(self.target.parameters(), self.online.parameters()):
            slow.mul_(self.momentum).add_(fast, alpha=1 - self.momentum)


def pretrain(byol, images, epochs):
    learnable = [p for p in byol.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(learnable, lr=2e-3, weight_decay=1e-4)
    views = TwoViews()
    for epoch in range(epochs):
        byol.train()
        total = 0.0
        for rows in torch.randperm(len(images)).split(128):
            if len(rows) < 32:
                continue
            loss = byol(*views(images[rows]))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            byol.update_target()
            total += loss.item() * len(rows)
        if epoch % 5 == 4:
            print(f"byol epoch {epoch + 1}: loss {total / len(images):.4f}")


@torch.no_grad()
def encode(byol, images):
    byol.eval()
    return byol.online["encoder"](images.flatten(1))


def linear_probe(z, y, epochs=30):
    probe = nn.Linear(z.shape[1], 10)
    optimizer = torch.optim.Adam(probe.parameters(), lr=1e-2)
    for _ in range(epochs):
        for rows in torch.randperm(len(y)).split(128):
            optimizer.zero_grad()
            F.cross_entropy(probe(z[rows]), y[rows]).backward()
            optimizer.step()
    return probe


if __name__ == "__main__":
    torch.manual_seed(55)
    digits = load_digits()
    images, y = torch.tensor(digits.images / 16.0, dtype=torch.float32), torch.tensor(digits.target)
    train, test = train_test_split(range(len(y)), test_size=0.3, stratify=digits.target, random_state=55)
    byol = BYOL()
    pretrain(byol, images[train], epochs=20)
    z_train, z_test = encode(byol, images[train]), encode(byol, images[test])
    mean, std = z_train.mean(0), z_train.std(0) + 1e-6
    probe = linear_probe((z_train - mean) / std, y[train])
    with torch.no_grad():
        hit = probe((z_test - mean) / std).argmax(1) == y[test]
    print(f"linear probe, test accuracy {hit.float().mean().item():.3f}")
