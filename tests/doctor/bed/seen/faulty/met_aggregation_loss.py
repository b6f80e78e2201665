# expect: non_finite_loss @ 24
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

class ACE(nn.Module):
    """Counts of classes over all places of a row against how often they are asked for."""

    def forward(self, logits, counts):
        share = F.softmax(logits, 2).sum(1) / logits.size(1)
        share = share
        target = counts / counts.sum(1, keepdim=True)
        return (-torch.log(share) * target).sum(1).mean()

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn, self.out = nn.GRU(8, 32, batch_first=True), nn.Linear(32, 11)

    def forward(self, x):
        return 60 * self.out(self.rnn(x.view(-1, 8, 8))[0])

net, loss_fn = Net(), ACE()
opt = torch.optim.SGD(net.parameters(), lr=0.3)
for epoch in range(6):
    for x, y in DataLoader(train_set, 32, shuffle=True):
        counts = F.one_hot(y, 11).float()
        counts[:, 10] = 7
        loss = loss_fn(net(x), counts)
        opt.zero_grad()
        loss.backward()
        opt.step()
    print(epoch, loss.item())
