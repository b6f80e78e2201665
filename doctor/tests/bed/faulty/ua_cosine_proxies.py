# missed: unshuffled_sorted @ 107
# allowed: unshuffled_sorted @ 26
# allowed: unshuffled_sorted @ 60
# mend: 107 →     fit(model, loss_fn, make_loader(train, cfg["batch"], shuffle=True), cfg)
"""Metric learning with normalised proxies (cosine softmax); judged by 1-NN retrieval on unseen images."""
from collections import defaultdict

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset

SETTINGS = dict(dim=8, scale=12.0, margin=0.1, epochs=6, batch=32, lr=0.05, momentum=0.9, seed=3)


class ClassBank(Dataset):
    """Keeps a bank of images per class, as our other samplers (triplets, episodes) want it that way."""

    def __init__(self, images, labels):
        self.bank = defaultdict(list)
        for image, label in zip(images, labels):
            self.bank[int(label)].append(torch.as_tensor(image, dtype=torch.float32))
        self.index = [(c, i) for c in sorted(self.bank) for i in range(len(self.bank[c]))]

    def __len__(self):
        return len(self.index)

    def __getitem__(self, k):
        c, i = self.index[k]
        return self.bank[c][i], c


class Embedder(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, dim))

    def forward(self, x):
        return F.normalize(self.layers(x), dim=1)


class CosineProxyLoss(nn.Module):
    """CosFace: the margin is taken from the cosine of the right proxy only."""

    def __init__(self, n_classes, dim, scale, margin):
        super().__init__()
        self.proxies = nn.Parameter(torch.randn(n_classes, dim))
        self.scale, self.margin = scale, margin

    def forward(self, emb, y):
        cosine = emb @ F.normalize(self.proxies, dim=1).T
        offset = self.margin * F.one_hot(y, len(self.proxies)).to(cosine.dtype)
        return F.cross_entropy(self.scale * (cosine - offset), y)


def make_loader(dataset, batch, **extra):
    return DataLoader(dataset, batch_size=batch, **extra)


@torch.no_grad()
def embed_all(model, dataset):
    model.eval()
    embs, labels = zip(*((model(x), y) for x, y in make_loader(dataset, 256)))
    return torch.cat(embs), torch.cat(labels)


def recall_at_1(model, gallery, queries):
    g, g_lab = embed_all(model, gallery)
    q, q_lab = embed_all(model, queries)
    nearest = (q @ g.T).argmax(dim=1)
    return (g_lab[nearest] == q_lab).float().mean().item()


def proxy_accuracy(model, loss_fn, dataset):
    emb, lab = embed_all(model, dataset)
    with torch.no_grad():
        guess = (emb @ F.normalize(loss_fn.proxies, dim=1).T).argmax(dim=1)
    return (guess == lab).float().mean().item()


def fit(model, loss_fn, loader, cfg):
    params = [*model.parameters(), *loss_fn.parameters()]
    opt = torch.optim.SGD(params, lr=cfg["lr"], momentum=cfg["momentum"])
    for epoch in range(cfg["epochs"]):
        model.train()
        losses = []
        for x, y in loader:
            loss = loss_fn(model(x), y)
            opt.zero_grad()
            loss.backward()
            opt.step()
            losses.append(loss.item())
        print(f"epoch {epoch}: loss {np.mean(losses):.4f}")


def main(cfg):
    torch.manual_seed(cfg["seed"])
    digits = load_digits()
    x_tr, x_te, y_tr, y_te = train_test_split(digits.data / 16.0, digits.target, test_size=0.3,
                                              stratify=digits.target, random_state=cfg["seed"])
    train, test = ClassBank(x_tr, y_tr), ClassBank(x_te, y_te)
    model = Embedder(cfg["dim"])
    loss_fn = CosineProxyLoss(10, cfg["dim"], cfg["scale"], cfg["margin"])
    fit(model, loss_fn, make_loader(train, cfg["batch"]), cfg)
    print(f"recall@1 {recall_at_1(model, train, test):.3f}   "
          f"nearest-proxy accuracy {proxy_accuracy(model, loss_fn, test):.3f}")


if __name__ == "__main__":
    main(SETTINGS)
