# expect: nothing
"""Small image-like regression with a Trainer class whose validation is a method."""
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset


class DotCounter(Dataset):
    """Images with bright dots; the target is how many, halved."""

    def __init__(self, n, seed):
        g = torch.Generator().manual_seed(seed)
        self.count = torch.randint(0, 7, (n,), generator=g)
        self.img = 0.1 * torch.rand(n, 1, 12, 12, generator=g)
        for i in range(n):
            spots = torch.randperm(144, generator=g)[: self.count[i]]
            self.img[i].view(-1)[spots] = 1.0

    def __len__(self):
        return len(self.count)

    def __getitem__(self, i):
        return self.img[i], self.count[i].float() / 2


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.c1 = nn.Conv2d(1, 8, 3, padding=1)
        self.c2 = nn.Conv2d(8, 8, 3, padding=1)
        self.drop = nn.Dropout(0.1)
        self.fc = nn.Linear(8 * 9, 1)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.c1(x)), 2)
        x = F.avg_pool2d(F.relu(self.c2(x)), 2)
        return self.fc(self.drop(x.flatten(1))).squeeze(1)


class Trainer:
    def __init__(self, model, lr):
        self.model = model
        self.opt = torch.optim.NAdam(model.parameters(), lr=lr)

    def train_epoch(self, loader):
        self.model.train()
        for x, y in loader:
            self.opt.zero_grad()
            F.mse_loss(self.model(x), y).backward()
            self.opt.step()

    @torch.no_grad()
    def validate(self, loader):
        self.model.eval()
        err = 0.0
        for x, y in loader:
            err += F.l1_loss(self.model(x), y, reduction="sum").item()
        return err / len(loader.dataset)


def main():
    torch.manual_seed(33)
    train = DataLoader(DotCounter(600, 0), batch_size=40, shuffle=True)
    val = DataLoader(DotCounter(200, 1), batch_size=100)
    trainer = Trainer(Net(), lr=5e-3)
    for epoch in range(12):
        trainer.train_epoch(train)
        if epoch % 3 == 2:
            print(f"epoch {epoch + 1} mae {trainer.validate(val):.4f}")


if __name__ == "__main__":
    main()
