# expect: nothing
"""DeepSets on point clouds of varying size: sphere, cube or cylinder shells, padded in a collate function."""
import argparse

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset, random_split

parser = argparse.ArgumentParser()
parser.add_argument("--n-clouds", type=int, default=480)
parser.add_argument("--epochs", type=int, default=30)
parser.add_argument("--lr", type=float, default=6e-3)
parser.add_argument("--seed", type=int, default=11)


class Clouds(Dataset):
    names = ("sphere", "cube", "cylinder")

    def __init__(self, n, generator):
        self.items = []
        for _ in range(n):
            label = int(torch.randint(3, (1,), generator=generator))
            size = int(torch.randint(20, 41, (1,), generator=generator))
            points = torch.randn(size, 3, generator=generator)
            if label == 0:
                points = points / points.norm(dim=1, keepdim=True)
            elif label == 1:
                points = points / points.abs().amax(dim=1, keepdim=True) * 0.8
            else:
                points[:, :2] = points[:, :2] / points[:, :2].norm(dim=1, keepdim=True) * 0.8
                points[:, 2] = torch.rand(size, generator=generator) * 1.6 - 0.8
            points = points + 0.03 * torch.randn(size, 3, generator=generator)
            self.items.append((points, label))

    def __len__(self):
        return len(self.items)

    def __getitem__(self, i):
        return self.items[i]


def collate(batch):
    sizes = torch.tensor([len(points) for points, _ in batch])
    padded = nn.utils.rnn.pad_sequence([points for points, _ in batch], batch_first=True)
    mask = torch.arange(padded.shape[1])[None] < sizes[:, None]
    return padded, mask, torch.tensor([label for _, label in batch])


class DeepSets(nn.Module):
    def __init__(self, width=48):
        super().__init__()
        self.phi = nn.Sequential(nn.Linear(3, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU())
        self.rho = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 3))

    def forward(self, points, mask):
        h = self.phi(points) * mask[..., None]
        return self.rho(h.sum(1) / mask.sum(1, keepdim=True))


def evaluate(model, loader):
    model.eval()
    right = count = 0
    with torch.no_grad():
        for points, mask, label in loader:
            right += (model(points, mask).argmax(1) == label).sum().item()
            count += len(label)
    return right / count


def main():
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    clouds = Clouds(args.n_clouds, torch.Generator().manual_seed(args.seed))
    train_clouds, test_clouds = random_split(clouds, [0.75, 0.25])
    train_loader = DataLoader(train_clouds, batch_size=32, shuffle=True, collate_fn=collate)
    test_loader = DataLoader(test_clouds, batch_size=64, collate_fn=collate)
    model = DeepSets()
    optimizer = torch.optim.Adam(model.parameters(), lr=args.lr)
    for epoch in range(args.epochs):
        model.train()
        for points, mask, label in train_loader:
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(points, mask), label)
            loss.backward()
            optimizer.step()
    print(f"train accuracy {evaluate(model, train_loader):.3f}")
    print(f"test accuracy {evaluate(model, test_loader):.3f} on {len(test_clouds)} clouds")


if __name__ == "__main__":
    main()
