# expect: nothing
"""Supervised contrastive embedding of digit images + linear classifier on top."""
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Augment:
    """Random shift by one pixel, erased patch, pixel noise."""

    def __call__(self, img):
        dy, dx = torch.randint(-1, 2, (2,)).tolist()
        img = torch.roll(img, shifts=(dy, dx), dims=(1, 2))
        r, c = torch.randint(0, 7, (2,)).tolist()
        img = img.clone()
        img[:, r:r + 2, c:c + 2] = -0.5
        return img + 0.1 * torch.randn_like(img)


class DigitSet(Dataset):
    def __init__(self, images, labels, transform=None, views=1):
        self.images = torch.tensor(images, dtype=torch.float32).unsqueeze(1) / 16 - 0.5
        self.labels = torch.tensor(labels, dtype=torch.long)
        self.transform, self.views = transform, views

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, idx):
        img = self.images[idx]
        if self.transform is None:
            return img, self.labels[idx]
        out = [self.transform(img) for _ in range(self.views)]
        return (out[0] if self.views == 1 else torch.stack(out)), self.labels[idx]


def build_loaders(batch=64, seed=6):
    d = load_digits()
    tr_x, te_x, tr_y, te_y = train_test_split(d.images, d.target, test_size=0.25,
                                              stratify=d.target, random_state=seed)
    common = dict(transform=Augment())
    pairs = DigitSet(tr_x, tr_y, views=2, **common)
    probe = DigitSet(tr_x, tr_y, **common)
    test = DigitSet(te_x, te_y)
    return (DataLoader(pairs, batch, shuffle=True, drop_last=True),
            DataLoader(probe, batch, shuffle=True),
            DataLoader(test, 256))


def supcon_loss(z, labels, tau=0.2):
    """z: [2N, D] normalised; every other view of the same class is a positive."""
    logits = z @ z.t() / tau
    self_mask = torch.eye(len(z), dtype=torch.bool)
    log_p = F.log_softmax(logits.masked_fill(self_mask, -1e4), dim=1)
    positive = (labels[:, None] == labels[None, :]) & ~self_mask
    return -((log_p * positive).sum(dim=1) / positive.sum(dim=1)).mean()


def fit_encoder(encoder, head, loader, epochs):
    opt = torch.optim.Adam([*encoder.parameters(), *head.parameters()], lr=5e-3)
    for epoch in range(epochs):
        encoder.train()
        total = 0.0
        for views, y in loader:
            x = torch.cat([views[:, 0], views[:, 1]])
            loss = supcon_loss(F.normalize(head(encoder(x)), dim=1), y.repeat(2))
            opt.zero_grad()
            loss.backward()
            opt.step()
            total += loss.item()
        print(f"contrastive {epoch}: {total / len(loader):.3f}")


def fit_linear(encoder, loader, epochs):
    encoder.eval()
    linear = nn.Linear(64, 10)
    opt = torch.optim.Adam(linear.parameters(), lr=2e-2)
    for epoch in range(epochs):
        total = 0.0
        for x, y in loader:
            with torch.no_grad():
                h = encoder(x)
            loss = F.cross_entropy(linear(h), y)
            opt.zero_grad()
            loss.backward()
            opt.step()
            total += loss.item()
        print(f"linear {epoch}: {total / len(loader):.3f}")
    return linear


@torch.no_grad()
def accuracy(encoder, linear, loader):
    encoder.eval()
    right = sum((linear(encoder(x)).argmax(1) == y).sum().item() for x, y in loader)
    return right / len(loader.dataset)


if __name__ == "__main__":
    torch.manual_seed(6)
    pair_loader, probe_loader, test_loader = build_loaders()
    encoder = nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2),
                            nn.Flatten(), nn.Linear(16 * 16, 64), nn.ReLU())
    projection = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 16))
    fit_encoder(encoder, projection, pair_loader, epochs=5)
    classifier = fit_linear(encoder, probe_loader, epochs=4)
    print(f"test accuracy: {accuracy(encoder, classifier, test_loader):.3f}")
