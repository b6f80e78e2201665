# expect: nothing
"""Digit images as they lie in ten class folders, learned by a small convolutional net with momentum SGD."""
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, Dataset


class FolderImages(Dataset):
    """Goes through the class folders one after another; every fifth picture of a folder is kept for testing."""

    def __init__(self, train):
        digits = load_digits()
        self.samples = []
        for label in range(10):
            pictures = digits.images[digits.target == label]
            for i, picture in enumerate(pictures):
                if (i % 5 != 0) == train:
                    self.samples.append((picture, label))

    def __len__(self):
        return len(self.samples)

    def __getitem__(self, index):
        picture, label = self.samples[index]
        return torch.tensor(picture / 8.0 - 1.0, dtype=torch.float32).unsqueeze(0), label


def conv_block(c_in, c_out):
    return nn.Sequential(nn.Conv2d(c_in, c_out, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))


torch.manual_seed(21)
train_set = FolderImages(train=True)
test_set = FolderImages(train=False)
train_loader = DataLoader(train_set, batch_size=32, shuffle=True)
test_loader = DataLoader(test_set, batch_size=128, shuffle=False)

net = nn.Sequential(conv_block(1, 8), conv_block(8, 16), nn.Flatten(), nn.Linear(64, 10))
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(net.parameters(), lr=0.02, momentum=0.9)

for epoch in range(6):
    net.train()
    running_loss = 0.0
    for inputs, labels in train_loader:
        optimizer.zero_grad()
        loss = criterion(net(inputs), labels)
        loss.backward()
        optimizer.step()
        running_loss += loss.item()
    print(f"[{epoch + 1}] loss: {running_loss / len(train_loader):.3f}")

net.eval()
correct = total = 0
with torch.no_grad():
    for inputs, labels in test_loader:
        predicted = net(inputs).argmax(dim=1)
        total += labels.size(0)
        correct += (predicted == labels).sum().item()
print(f"Accuracy of the network on {total} test images: {100 * correct / total:.1f} %")
