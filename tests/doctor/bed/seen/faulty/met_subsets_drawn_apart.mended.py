# expect: nothing
# Training and validation subsets come from two draws of the same split. Mended.
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset, random_split


class Frames(Dataset):
    def __init__(self, augment):
        g = torch.Generator().manual_seed(4)
        self.labels = torch.randint(0, 4, (800,), generator=g)
        self.frames = torch.randn(800, 24, generator=g) * 1.6
        self.frames[torch.arange(800), self.labels] += 1.5
        self.augment = augment

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, i):
        x = self.frames[i]
        return (x + 0.05 * torch.randn_like(x) if self.augment else x), self.labels[i]


class Creator:
    def _get_split_lens(self, dataset):
        train_len = int(0.75 * len(dataset))
        return train_len, len(dataset) - train_len

    def get_train_subset(self):
        dataset = Frames(augment=True)
        train_len, val_len = self._get_split_lens(dataset)
        train_subset, _ = random_split(dataset, [train_len, val_len], generator=torch.Generator().manual_seed(2))
        return train_subset

    def get_val_subset(self):
        dataset = Frames(augment=False)
        train_len, val_len = self._get_split_lens(dataset)
        _, val_subset = random_split(dataset, [train_len, val_len], generator=torch.Generator().manual_seed(2))
        return val_subset


torch.manual_seed(0)
creator = Creator()
train_loader = DataLoader(creator.get_train_subset(), batch_size=40, shuffle=True)
val_loader = DataLoader(creator.get_val_subset(), batch_size=200)
model = nn.Sequential(nn.Linear(24, 96), nn.ReLU(), nn.Linear(96, 4))
optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
for epoch in range(20):
    model.train()
    for x, y in train_loader:
        loss = nn.functional.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        right = sum((model(x).argmax(1) == y).sum().item() for x, y in val_loader)
    print(epoch, right / 200)
