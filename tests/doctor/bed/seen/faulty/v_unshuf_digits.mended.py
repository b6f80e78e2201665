# expect: nothing
"""Small CNN on digits whose training images are collected class by class, as from folders."""
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, Dataset

torch.manual_seed(1)


class FolderLikeDataset(Dataset):
    """Mimics ImageFolder: walks the classes in order and lists their images."""

    def __init__(self, images, labels):
        self.samples = []
        for cls in sorted(set(labels)):
            for im in images[labels == cls]:
                self.samples.append((im, int(cls)))

    def __len__(self):
        return len(self.samples)

    def __getitem__(self, i):
        im, cls = self.samples[i]
        return torch.from_numpy(im).unsqueeze(0), cls


class ConvNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 8, 3, padding=1)
        self.conv2 = nn.Conv2d(8, 16, 3, padding=1)
        self.fc = nn.Linear(16 * 2 * 2, 10)

    def forward(self, x):
        x = F.max_pool2d(F.leaky_relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.leaky_relu(self.conv2(x)), 2)
        return self.fc(x.flatten(1))


def get_loaders(batch_size=32):
    d = load_digits()
    im_tr, im_te, y_tr, y_te = train_test_split((d.images / 16).astype(np.float32), d.target, test_size=0.2, random_state=1, stratify=d.target)
    train = DataLoader(FolderLikeDataset(im_tr, y_tr), batch_size=batch_size, shuffle=True)
    test = DataLoader(FolderLikeDataset(im_te, y_te), batch_size=128)
    return train, test


def main():
    train, test = get_loaders()
    net = ConvNet()
    opt = torch.optim.SGD(net.parameters(), lr=0.03, momentum=0.9)
    for epoch in range(6):
        net.train()
        tot = 0
        for x, y in train:
            opt.zero_grad()
            loss = F.cross_entropy(net(x), y)
            loss.backward()
            opt.step()
            tot += loss.item()
        net.eval()
        ok = 0
        with torch.no_grad():
            for x, y in test:
                ok += (net(x).argmax(1) == y).sum().item()
        print(f"epoch {epoch} loss {tot / len(train):.3f} test acc {ok / len(test.dataset):.3f}")


if __name__ == "__main__":
    main()
