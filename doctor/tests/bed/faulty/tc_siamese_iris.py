# expect: non_finite_loss @ 46
# allowed: non_finite_loss @ 45
# mend: 46 →     distance = (squared + 1e-6).sqrt()
"""Siamese embedding of the irises with the contrastive loss; judged by the nearest training neighbour in the embedding."""
import torch
from sklearn.datasets import load_iris
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, Dataset

MARGIN = 1.5


class Pairs(Dataset):
    """Every index gives a fresh partner: half of them of the same species, half of another."""

    def __init__(self, x, y, per_epoch, seed):
        self.x, self.y, self.per_epoch = x, y, per_epoch
        self.generator = torch.Generator().manual_seed(seed)

    def __len__(self):
        return self.per_epoch

    def pick(self, pool):
        return pool[torch.randint(len(pool), (1,), generator=self.generator)].item()

    def __getitem__(self, i):
        first = self.pick(torch.arange(len(self.y)))
        same = i % 2 == 0
        pool = torch.nonzero((self.y == self.y[first]) == same).flatten()
        second = self.pick(pool)
        return self.x[first], self.x[second], torch.tensor(float(same))


class Embedder(nn.Module):
    def __init__(self, dim=4):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(4, 24), nn.Tanh(), nn.Linear(24, dim))

    def forward(self, x):
        return self.net(x)


def contrastive(a, b, same):
    squared = (a - b).pow(2).sum(dim=1)
    distance = squared.sqrt()
    apart = (MARGIN - distance).clamp(min=0).pow(2)
    return (same * distance.pow(2) + (1 - same) * apart).mean()


def neighbour_accuracy(model, x_train, y_train, x_test, y_test):
    model.eval()
    with torch.no_grad():
        distances = torch.cdist(model(x_test), model(x_train))
    return (y_train[distances.argmin(dim=1)] == y_test).float().mean().item()


def main():
    torch.manual_seed(12)
    x, y = load_iris(return_X_y=True)
    x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.3, stratify=y, random_state=12)
    mean, std = x_train.mean(0), x_train.std(0)
    x_train = torch.tensor((x_train - mean) / std, dtype=torch.float32)
    x_test = torch.tensor((x_test - mean) / std, dtype=torch.float32)
    y_train, y_test = torch.tensor(y_train), torch.tensor(y_test)

    model = Embedder()
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    loader = DataLoader(Pairs(x_train, y_train, per_epoch=320, seed=12), batch_size=32)
    for epoch in range(12):
        model.train()
        total = 0.0
        for a, b, same in loader:
            loss = contrastive(model(a), model(b), same)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item()
        if epoch % 3 == 2:
            print(f"epoch {epoch + 1}: loss {total / len(loader):.4f}")
    print(f"nearest-neighbour accuracy {neighbour_accuracy(model, x_train, y_train, x_test, y_test):.3f}")


if __name__ == "__main__":
    main()
