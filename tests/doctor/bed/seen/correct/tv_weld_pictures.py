# expect: nothing
"""Weld inspection: cracked or sound, from small grey images. Cracked seams are rare, so they are repeated with other brightness."""
import numpy as np
import torch
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def draw_welds(count, rng, size=16):
    labels = (rng.random(count) < 0.2).astype(np.int64)
    images = rng.normal(0, 1.0, (count, size, size))
    images += np.sin(np.linspace(0, 3 * np.pi, size))[None, None, :]
    for i in np.flatnonzero(labels):
        column = rng.integers(3, size - 3)
        for row in range(rng.integers(0, 4), size - rng.integers(0, 4)):
            images[i, row, column] -= 2.15
            column = int(np.clip(column + rng.integers(-1, 2), 1, size - 2))
    return images.astype(np.float32)[:, None], labels


class WeldDataModule:
    """Draws, balances and splits the images."""

    def __init__(self, count=700, repeats=3, test_share=0.3, batch_size=32, seed=4):
        self.count, self.repeats, self.test_share = count, repeats, test_share
        self.batch_size, self.seed = batch_size, seed

    def balance(self, images, labels):
        cracked = images[labels == 1]
        offsets = np.linspace(-0.2, 0.2, self.repeats, dtype=np.float32)
        images = np.concatenate([images] + [cracked + offset for offset in offsets])
        labels = np.concatenate([labels] + [np.ones(len(cracked), dtype=labels.dtype)] * len(offsets))
        return images, labels

    def split(self, images, labels):
        return train_test_split(images, labels, test_size=self.test_share, stratify=labels, random_state=self.seed)

    def setup(self):
        images, labels = draw_welds(self.count, np.random.default_rng(self.seed))
        x_train, x_test, y_train, y_test = self.split(images, labels)
        x_train, y_train = self.balance(x_train, y_train)
        self.train = TensorDataset(torch.from_numpy(x_train), torch.from_numpy(y_train))
        self.test = TensorDataset(torch.from_numpy(x_test), torch.from_numpy(y_test))
        return self

    def train_dataloader(self):
        return DataLoader(self.train, self.batch_size, shuffle=True)

    def test_dataloader(self):
        return DataLoader(self.test, 256)


class SeamNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Sequential(
            nn.Conv2d(1, 12, 3, padding=1), nn.BatchNorm2d(12), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(12, 24, 3, padding=1), nn.BatchNorm2d(24), nn.ReLU(), nn.MaxPool2d(2))
        self.fc = nn.Sequential(nn.Flatten(), nn.Linear(24 * 16, 48), nn.ReLU(), nn.Linear(48, 2))

    def forward(self, x):
        return self.fc(self.conv(x))


def fit(model, module, epochs=9, lr=2e-3):
    optimizer = torch.optim.AdamW(model.parameters(), lr=lr, weight_decay=1e-2)
    for epoch in range(epochs):
        model.train()
        losses = []
        for x, y in module.train_dataloader():
            loss = nn.functional.cross_entropy(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    return sum(losses) / len(losses)


@torch.no_grad()
def predict(model, loader):
    model.eval()
    truth, guess = zip(*[(y, model(x).argmax(dim=1)) for x, y in loader])
    return torch.cat(truth).numpy(), torch.cat(guess).numpy()


if __name__ == "__main__":
    torch.manual_seed(4)
    data = WeldDataModule().setup()
    network = SeamNet()
    last = fit(network, data)
    truth, guess = predict(network, data.test_dataloader())
    print(f"last training loss {last:.4f}")
    print(f"test balanced accuracy {balanced_accuracy_score(truth, guess):.3f} on {len(truth)} images")
