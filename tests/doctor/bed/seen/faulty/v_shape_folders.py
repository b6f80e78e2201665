# expect: unshuffled_sorted @ 58
"""Shape classifier that reads images class by class, as from one folder per class."""
import numpy as np
import torch
from torch import nn, optim
from torch.utils.data import DataLoader, Dataset

CLASSES = ["circle", "cross", "square", "triangle", "stripe"]


def paint(kind, rng, size=16):
    yy, xx = np.mgrid[:size, :size].astype(float)
    cy, cx, r = rng.uniform(6, 10), rng.uniform(6, 10), rng.uniform(3.5, 5.5)
    if kind == "circle":
        ink = (yy - cy) ** 2 + (xx - cx) ** 2 < r ** 2
    elif kind == "cross":
        ink = ((abs(yy - cy) < 1.3) | (abs(xx - cx) < 1.3)) & (abs(yy - cy) < r) & (abs(xx - cx) < r)
    elif kind == "square":
        ink = (abs(yy - cy) < r) & (abs(xx - cx) < r)
    elif kind == "triangle":
        ink = (abs(xx - cx) < (yy - cy + r) / 2) & (abs(yy - cy) < r)
    else:
        ink = ((yy + xx + rng.integers(0, 4)) % 6 < 3) & (abs(yy - cy) < r) & (abs(xx - cx) < r)
    return ink + 0.2 * rng.normal(size=(size, size))


class ImageFolder(Dataset):
    def __init__(self, per_class, seed):
        rng = np.random.default_rng(seed)
        self.samples = []
        for label, name in enumerate(CLASSES):
            self.samples += [(paint(name, rng), label) for _ in range(per_class)]

    def __len__(self):
        return len(self.samples)

    def __getitem__(self, i):
        image, label = self.samples[i]
        return torch.tensor(image, dtype=torch.float32).unsqueeze(0) - 0.3, label


class ConvNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 12, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(12, 24, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        )
        self.classifier = nn.Sequential(nn.Flatten(), nn.Linear(24 * 16, 48), nn.ReLU(), nn.Linear(48, len(CLASSES)))

    def forward(self, x):
        return self.classifier(self.features(x))


def main():
    torch.manual_seed(6)
    train_set, test_set = ImageFolder(per_class=120, seed=60), ImageFolder(per_class=60, seed=61)
    trainloader = DataLoader(train_set, batch_size=20)
    testloader = DataLoader(test_set, batch_size=100)

    net = ConvNet()
    criterion = nn.CrossEntropyLoss()
    optimizer = optim.SGD(net.parameters(), lr=0.02, momentum=0.9)

    for epoch in range(10):  # loop over the dataset multiple times
        net.train()
        running_loss = 0.0
        for inputs, labels in trainloader:
            # zero the parameter gradients
            optimizer.zero_grad()

            # forward + backward + optimize
            loss = criterion(net(inputs), labels)
            loss.backward()
            optimizer.step()
            running_loss += loss.item()
        print(f"[{epoch + 1}] loss: {running_loss / len(trainloader):.3f}")
    print("Finished Training")

    net.eval()
    correct = np.zeros(len(CLASSES))
    with torch.no_grad():
        for images, labels in testloader:
            guess = net(images).argmax(1)
            for label, hit in zip(labels.tolist(), (guess == labels).tolist()):
                correct[label] += hit
    for name, hits in zip(CLASSES, correct):
        print(f"Accuracy for class: {name:8s} is {100 * hits / 60:.1f} %")
    print(f"Accuracy of the network: {100 * correct.sum() / len(test_set):.1f} %")


main()
