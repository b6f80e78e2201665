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

class Segmenter(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.Dropout2d(0.1), nn.Conv2d(16, 2, 1))

    def forward(self, x, y=None):
        x = self.net(x)
        if self.training:
            return x.max(1)[1], F.cross_entropy(x, y)
        return x

def batches(part, shuffle=False):
    for x, _ in DataLoader(part, 32, shuffle=shuffle):
        x = x.view(-1, 1, 8, 8)
        yield (x + 0.1 * torch.randn_like(x)), (x[:, 0] > 0.4).long()

def train(model, optimizer):
    model.train()
    for input, target in batches(train_set, True):
        output, loss = model(input, target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return loss.item()

def validate(model, criterion):
    model.eval()
    hits = total = 0
    for input, target in batches(val_set):
        with torch.no_grad():
            output = model(input)
        loss = criterion(output, target)
        hits, total = hits + (output.max(1)[1] == target).sum().item(), total + target.numel()
    return loss.item(), hits / total

model = Segmenter()
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
for epoch in range(4):
    print(epoch, train(model, optimizer), validate(model, nn.CrossEntropyLoss()))
