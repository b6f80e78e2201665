# expect: nothing
import math
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
data = load_digits()
x_train, x_test, y_train, y_test = train_test_split(data.data / 16.0, data.target, test_size=0.3, random_state=0)
x_train, x_val, y_train, y_val = train_test_split(x_train, y_train, test_size=0.2, random_state=0)
to = lambda x, y: TensorDataset(torch.tensor(x, dtype=torch.float32), torch.tensor(y))
train_set, val_set, test_set = to(x_train, y_train), to(x_val, y_val), to(x_test, y_test)

class Digits(torch.utils.data.Dataset):
    def __init__(self, x, y, transform=None):
        self.x, self.y, self.transform = torch.tensor(x, dtype=torch.float32).view(-1, 1, 8, 8), torch.tensor(y), transform

    def __len__(self):
        return len(self.y)

    def __getitem__(self, i):
        img = self.x[i]
        return (self.transform(img) if self.transform else img), self.y[i]

def jitter(img):
    img = torch.roll(img, tuple(torch.randint(-1, 2, (2,)).tolist()), (1, 2))
    return (img + 0.15 * torch.randn_like(img)).clamp(0, 1)

net = nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(256, 10))
opt = torch.optim.Adam(net.parameters(), lr=2e-3)

def fit(train_loader, valid_loader, epochs=5):
    for epoch in range(epochs):
        net.train()
        for x, y in train_loader:
            opt.zero_grad()
            loss = F.cross_entropy(net(x), y)
            loss.backward()
            opt.step()
        net.eval()
        with torch.no_grad():
            right = sum((net(x).argmax(1) == y).sum().item() for x, y in valid_loader)
            print(epoch, loss.item(), right)

from torch.utils.data.sampler import SubsetRandomSampler
train_data = Digits(x_train, y_train, transform=jitter)
valid_data = Digits(x_train, y_train)
num_train = len(train_data)
order = list(range(num_train))
split = num_train // 5
valid_idx, train_idx = order[:split], order[split:]
train_loader = DataLoader(train_data, batch_size=50, sampler=SubsetRandomSampler(train_idx))
valid_loader = DataLoader(valid_data, batch_size=50, sampler=SubsetRandomSampler(valid_idx))
fit(train_loader, valid_loader)
