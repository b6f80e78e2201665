# expect: nothing
# The sampler is for several processes only; with one the images come in the order of the list, class after class. Mended.
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset, RandomSampler


class LoadImagesAndLabels(Dataset):
    def __init__(self, n):
        g = torch.Generator().manual_seed(n)
        self.labels = torch.arange(n) * 5 // n
        self.imgs = 0.9 * torch.randn(n, 1, 8, 8, generator=g)
        for k in range(5):
            self.imgs[self.labels == k, 0, k] += 1.0

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, i):
        return self.imgs[i], self.labels[i]

    @staticmethod
    def collate_fn(batch):
        imgs, labels = zip(*batch, strict=True)
        return torch.stack(imgs), torch.stack(labels)


def create_dataloader(n, batch_size, rank=-1, train=False):
    dataset = LoadImagesAndLabels(n)
    batch_size = min(batch_size, len(dataset))
    sampler = RandomSampler(dataset) if train else None
    loader = DataLoader(dataset, batch_size=batch_size, sampler=sampler, collate_fn=LoadImagesAndLabels.collate_fn)
    return loader, dataset


torch.manual_seed(0)
train_loader, _ = create_dataloader(1000, 20, train=True)
val_loader, val_set = create_dataloader(250, 50)
model = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(512, 5))
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
for epoch in range(4):
    model.train()
    for imgs, targets in train_loader:
        loss = nn.functional.cross_entropy(model(imgs), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        right = sum((model(i).argmax(1) == t).sum().item() for i, t in val_loader)
    print(epoch, right / len(val_set))
