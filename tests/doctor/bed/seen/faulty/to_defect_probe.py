# expect: selection_on_test @ 87
# allowed: selection_on_test @ 89
# allowed: selection_on_test @ 100
"""Surface inspection on drawn 12x12 patches: a small CNN separates clean, scratched and pitted
metal; early stopping keeps the best weights."""
import copy
import logging

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

logging.basicConfig(level=logging.INFO, format="%(message)s")
log = logging.getLogger(__name__)
NAMES = ["clean", "scratch", "pit"]


def draw_patches(n, rng):
    labels = rng.integers(0, 3, n)
    images = rng.normal(0, 0.55, (n, 1, 12, 12))
    for image, label in zip(images[:, 0], labels):
        if label == 1:
            row, slope = rng.integers(2, 10), rng.uniform(-0.4, 0.4)
            for col in range(12):
                image[int(np.clip(row + slope * (col - 6), 0, 11)), col] += 0.75
        elif label == 2:
            r, c = rng.integers(1, 10, 2)
            image[r:r + 3, c:c + 3] -= 0.95
    return torch.tensor(images, dtype=torch.float32), torch.tensor(labels)


def loaders(seed=19):
    rng = np.random.default_rng(seed)
    sizes = {"train": 700, "val": 250, "test": 250}
    sets = {name: TensorDataset(*draw_patches(n, rng)) for name, n in sizes.items()}
    return {name: DataLoader(data, batch_size=50 if name == "train" else 250, shuffle=name == "train")
            for name, data in sets.items()}


class PatchNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(8, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2))
        self.classifier = nn.Sequential(nn.Flatten(), nn.Dropout(0.3), nn.Linear(16 * 9, 3))

    def forward(self, x):
        return self.classifier(self.features(x))


class EarlyStopping:
    def __init__(self, model, patience=4):
        self.model, self.patience = model, patience
        self.best_score, self.best_epoch, self.waited = -1.0, 0, 0

    def __call__(self, epoch, score):
        if score > self.best_score:
            self.best_score, self.best_epoch, self.waited = score, epoch, 0
            self.weights = copy.deepcopy(self.model.state_dict())
        else:
            self.waited += 1
        return self.waited >= self.patience

    def restore(self):
        self.model.load_state_dict(self.weights)


@torch.no_grad()
def accuracy(model, loader):
    model.eval()
    hits = torch.cat([model(x).argmax(1) == y for x, y in loader])
    return hits.float().mean().item()


def fit(model, data, epochs=14):
    optimizer = torch.optim.AdamW(model.parameters(), lr=4e-3, weight_decay=1e-2)
    stopping = EarlyStopping(model)
    for epoch in range(1, epochs + 1):
        model.train()
        for x, y in data["train"]:
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(x), y, label_smoothing=0.05)
            loss.backward()
            optimizer.step()
        score = accuracy(model, data["test"])
        log.info("epoch %2d  loss %.3f  accuracy %.3f", epoch, loss.item(), score)
        if stopping(epoch, score):
            break
    stopping.restore()
    return stopping


if __name__ == "__main__":
    torch.manual_seed(19)
    data = loaders()
    net = PatchNet()
    stopping = fit(net, data)
    print(f"weights of epoch {stopping.best_epoch}, test accuracy {accuracy(net, data['test']):.3f}")
