# missed: softmax_wrong_dim @ 30
# mend: 30 →         weights = F.softmax(scores.view(length, batch), dim=0).view(length, batch, 1)
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

class Reader(nn.Module):
    def __init__(self, hidden=24):
        super().__init__()
        self.lstm = nn.LSTM(8, hidden, bidirectional=True)
        self.attn = nn.Linear(8 + 2 * hidden, 1)
        self.out = nn.Linear(8 + 2 * hidden, 10)

    def forward(self, x):  # [T, B, 8]
        outputs, _ = self.lstm(x)
        length, batch, _ = outputs.size()
        joint = torch.cat((x, outputs), -1)
        scores = self.attn(joint.view(length * batch, -1))
        weights = F.softmax(scores, dim=1).view(length, batch, 1)
        return self.out((weights * joint).sum(0))

net = Reader()
opt = torch.optim.Adam(net.parameters(), lr=5e-3)
for epoch in range(6):
    for x, y in DataLoader(train_set, 64, shuffle=True):
        loss = F.cross_entropy(net(x.view(-1, 8, 8).transpose(0, 1)), y)
        opt.zero_grad()
        loss.backward()
        opt.step()
    print(epoch, loss.item())
net.eval()
with torch.no_grad():
    x, y = test_set.tensors
    print("test", (net(x.view(-1, 8, 8).transpose(0, 1)).argmax(1) == y).float().mean().item())
