# missed: missing_eval @ 28
# mend: 23 →         self.drop = nn.Dropout(p=0.5)
# mend: 28 →         x = self.drop(x)
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

class ResNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2, self.fc = nn.Conv2d(1, 16, 3, padding=1), nn.Conv2d(16, 32, 3, padding=1), nn.Linear(32, 10)
        

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.relu(self.conv2(x)).mean((2, 3))
        x = nn.Dropout(p=0.5)(x)
        return self.fc(x)

net = ResNet()
opt = torch.optim.Adam(net.parameters(), lr=4e-3)
for epoch in range(6):
    net.train()
    for x, y in DataLoader(train_set, 64, shuffle=True):
        opt.zero_grad()
        loss = F.cross_entropy(net(x.view(-1, 1, 8, 8)), y)
        loss.backward()
        opt.step()
    net.eval()
    with torch.no_grad():
        right = sum((net(x.view(-1, 1, 8, 8)).argmax(1) == y).sum().item() for x, y in DataLoader(val_set, 64))
    print(epoch, loss.item(), right / len(val_set))
