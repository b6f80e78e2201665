# expect: params_not_in_optimizer @ 43
# allowed: params_not_in_optimizer @ 44
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

class ScaledConv(nn.Conv2d):
    def forward(self, x):
        return super().forward(x) * self.weight.abs().mean().clamp(min=0.1).detach() * 10

def replace_conv_recursively(module):
    for name, child in module.named_children():
        if type(child) is nn.Conv2d:
            new = ScaledConv(child.in_channels, child.out_channels, child.kernel_size, padding=child.padding)
            setattr(module, name, new)
        else:
            replace_conv_recursively(child)

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(1, 12, 3, padding=1), nn.ReLU(), nn.Conv2d(12, 24, 3, padding=1), nn.ReLU())
        self.head = nn.Linear(24, 10)

    def forward(self, x):
        return self.head(self.body(x.view(-1, 1, 8, 8)).mean((2, 3)))

def get_optimizer(model, lr):
    return torch.optim.Adam(model.parameters(), lr=lr)

model = Net()
optimizer = get_optimizer(model, 3e-3)
replace_conv_recursively(model)
criterion = nn.CrossEntropyLoss()
for epoch in range(5):
    model.train()
    for x, y in DataLoader(train_set, 64, shuffle=True):
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
    print(epoch, loss.item())
model.eval()
with torch.no_grad():
    print((model(test_set.tensors[0]).argmax(1) == test_set.tensors[1]).float().mean().item())
