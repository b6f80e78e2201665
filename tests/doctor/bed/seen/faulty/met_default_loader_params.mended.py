# expect: nothing
# Loaders are made of parameters; those of the training forget the order; folders come class after class. Mended.
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset


class FolderLike(Dataset):
    """Files of class 0, then of class 1, ... as they lie on a disk."""

    def __init__(self, per_class, seed):
        g = torch.Generator().manual_seed(seed)
        means = torch.randn(10, 32, generator=torch.Generator().manual_seed(99))
        self.samples = [(means[c] + torch.randn(32, generator=g), c) for c in range(10) for _ in range(per_class)]

    def __len__(self):
        return len(self.samples)

    def __getitem__(self, index):
        return self.samples[index]


def imagenet_like_train(dataset_params=None, dataloader_params=None):
    return DataLoader(FolderLike(**(dataset_params or {})), **{"num_workers": 0, **(dataloader_params or {})})


def imagenet_like_val(dataset_params=None, dataloader_params=None):
    return DataLoader(FolderLike(**(dataset_params or {})), **{"num_workers": 0, **(dataloader_params or {})})


dataloader_params = {"batch_size": 50, "shuffle": True}
train_loader = imagenet_like_train({"per_class": 200, "seed": 0}, dataloader_params)
val_loader = imagenet_like_val({"per_class": 40, "seed": 1}, {"batch_size": 100})

torch.manual_seed(0)
net = nn.Sequential(nn.Linear(32, 64), nn.ReLU(), nn.Linear(64, 10))
optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9, nesterov=True, weight_decay=1e-4)
for epoch in range(6):
    net.train()
    for images, target in train_loader:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(net(images), target)
        loss.backward()
        optimizer.step()
    net.eval()
    with torch.no_grad():
        top1 = sum((net(i).argmax(1) == t).sum().item() for i, t in val_loader) / 400
    print(epoch, "top1", top1)
