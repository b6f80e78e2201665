# expect: nothing
import random
import numpy as np
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, Dataset, Subset, TensorDataset, random_split

torch.manual_seed(3)
np.random.seed(3)
random.seed(3)
digits = load_digits()
images = torch.tensor(digits.images / 16, dtype=torch.float32)
labels = torch.tensor(digits.target)
train_x, test_x, train_y, test_y = train_test_split(images, labels, test_size=0.25, random_state=3)


class Digits(Dataset):
    def __init__(self, base, sigma=0.2):
        self.base, self.sigma = base, sigma

    def __len__(self):
        return len(self.base)

    def __getitem__(self, index):
        picture, target = self.base[index]
        noise = torch.randn(8, 8) * self.sigma
        return picture + noise, target

train_loader = DataLoader(Digits(TensorDataset(train_x, train_y)), batch_size=48, shuffle=True)
test_loader = DataLoader(Digits(TensorDataset(test_x, test_y), sigma=0.0), batch_size=96)

net = nn.Sequential(nn.Flatten(), nn.Linear(64, 48), nn.ReLU(), nn.Linear(48, 10))
optimizer = torch.optim.Adam(net.parameters(), lr=4e-3)
for epoch in range(6):
    net.train()
    for batch, target in train_loader:
        optimizer.zero_grad()
        F.cross_entropy(net(batch), target).backward()
        optimizer.step()

net.eval()
correct = 0
with torch.no_grad():
    for batch, target in test_loader:
        correct += (net(batch).argmax(1) == target).sum().item()
print(correct / len(test_loader.dataset))
