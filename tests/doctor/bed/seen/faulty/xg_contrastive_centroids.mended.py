# expect: nothing
"""Supervised contrastive embeddings on 8x8 digits, scored by nearest centroid."""
import argparse

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn import datasets, model_selection
from torch.utils.data import DataLoader, Dataset

parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int, default=12)
parser.add_argument("--batch-size", type=int, default=128)
parser.add_argument("--lr", type=float, default=2e-3)
parser.add_argument("--temp", type=float, default=0.2)
parser.add_argument("--seed", type=int, default=42)
args = parser.parse_args()
torch.manual_seed(args.seed)
np.random.seed(args.seed)


class DigitViews(Dataset):
    """Returns one image, or two jittered views of it."""

    def __init__(self, images, labels, two_views):
        self.images = torch.as_tensor(images, dtype=torch.float32) / 16.0
        self.labels = torch.as_tensor(labels)
        self.two_views = two_views

    def jitter(self, img):
        gain = torch.empty(1).uniform_(0.7, 1.3)
        return (img * gain + 0.1 * torch.randn_like(img)).unsqueeze(0)

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, i):
        img = self.images[i]
        if self.two_views:
            return self.jitter(img), self.jitter(img), self.labels[i]
        return img.unsqueeze(0), self.labels[i]


class Encoder(nn.Module):
    def __init__(self, out_dim=32):
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(),
            nn.Conv2d(16, 32, 3, stride=2, padding=1), nn.ReLU(),
            nn.Flatten(),
            nn.Linear(32 * 16, out_dim),
        )

    def forward(self, x):
        return F.normalize(self.net(x), dim=1)


def sup_con_loss(z, y, temp):
    sim = z @ z.t() / temp
    self_mask = torch.eye(len(z), dtype=torch.bool)
    sim = sim.masked_fill(self_mask, -1e9)
    log_prob = sim - torch.logsumexp(sim, dim=1, keepdim=True)
    pos = (y[:, None] == y[None, :]) & ~self_mask
    return -((log_prob * pos).sum(1) / pos.sum(1)).mean()


data = datasets.load_digits()
tr_x, te_x, tr_y, te_y = model_selection.train_test_split(
    data.images, data.target, test_size=0.3, stratify=data.target, random_state=0)
train_views = DataLoader(DigitViews(tr_x, tr_y, True), args.batch_size, shuffle=True)
train_plain = DataLoader(DigitViews(tr_x, tr_y, False), 256)
test_plain = DataLoader(DigitViews(te_x, te_y, False), 256)


@torch.no_grad()
def embed(encoder, loader):
    encoder.eval()
    feats, labels = [], []
    for x, y in loader:
        feats.append(encoder(x))
        labels.append(y)
    return torch.cat(feats), torch.cat(labels)


def centroid_accuracy(train_pair, test_pair):
    (f, y), (g, t) = train_pair, test_pair
    centroids = torch.stack([f[y == c].mean(0) for c in range(10)])
    pred = (g @ F.normalize(centroids, dim=1).t()).argmax(1)
    return (pred == t).float().mean().item()


encoder = Encoder()
optimizer = torch.optim.Adam(encoder.parameters(), lr=args.lr)
for epoch in range(1, args.epochs + 1):
    encoder.train()
    meter, seen = 0.0, 0
    for v1, v2, y in train_views:
        z = encoder(torch.cat([v1, v2]))
        loss = sup_con_loss(z, torch.cat([y, y]), args.temp)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        meter += loss.item() * len(y)
        seen += len(y)
    if epoch % 3 == 0:
        print(f"epoch {epoch:2d} | contrastive loss {meter / seen:.4f}")

acc = centroid_accuracy(embed(encoder, train_plain), embed(encoder, test_plain))
print(f"nearest-centroid accuracy: {acc:.4f}")
