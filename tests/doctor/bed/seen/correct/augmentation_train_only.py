# expect: nothing
# looks suspicious: one dataset class adds noise and shifts to rows: only the training instance does (a
# flag), the test instance gives the same tensor every time.
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Digits(Dataset):
    def __init__(self, images, labels, train):
        self.images = torch.tensor(images / 16, dtype=torch.float32)
        self.labels = torch.tensor(labels)
        self.train = train

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, i):
        image = self.images[i]
        if self.train:
            shift = int(torch.randint(-1, 2, ()))
            image = image.roll(shift, 1) + 0.05 * torch.randn(8, 8)
        return image.unsqueeze(0), self.labels[i]


torch.manual_seed(0)
d = load_digits()
a, b, ya, yb = train_test_split(d.images, d.target, test_size=0.25, random_state=0, stratify=d.target)
train = DataLoader(Digits(a, ya, train=True), batch_size=64, shuffle=True)
test = DataLoader(Digits(b, yb, train=False), batch_size=256)
cnn = nn.Sequential(
    nn.Conv2d(1, 8, 3, padding=1),
    nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Flatten(),
    nn.Dropout(0.1),
    nn.Linear(128, 10),
)
opt = torch.optim.Adam(cnn.parameters(), lr=5e-3)
for epoch in range(4):
    cnn.train()
    for x, y in train:
        opt.zero_grad()
        loss = nn.functional.cross_entropy(cnn(x), y)
        loss.backward()
        opt.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
cnn.eval()
with torch.no_grad():
    print("accuracy", sum((cnn(x).argmax(1) == y).sum().item() for x, y in test) / len(test.dataset))
