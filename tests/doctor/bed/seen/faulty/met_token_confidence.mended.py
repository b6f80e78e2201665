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

class TokenConfidence(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.token = nn.Sequential(nn.Linear(dim, 1))
        self.loss_fn = nn.BCEWithLogitsLoss(reduction="none")

    def loss(self, desc, correct):
        logit = self.token(desc.detach()).squeeze(-1)
        return self.loss_fn(logit, correct.float()).mean(-1)

class Matcher(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.head, self.confidence = nn.Linear(8, 24), nn.Linear(24, 10), TokenConfidence(24)

    def forward(self, x, y):
        desc = torch.relu(self.body(x.view(-1, 8, 8)))
        logits = self.head(desc.mean(1))
        per_token = self.head(desc).argmax(-1)
        return F.cross_entropy(logits, y) + self.confidence.loss(desc, per_token == y[:, None]).mean(), logits

net = Matcher()
opt = torch.optim.Adam(net.parameters(), lr=4e-3)
for epoch in range(8):
    for x, y in DataLoader(train_set, 64, shuffle=True):
        loss, _ = net(x, y)
        opt.zero_grad()
        loss.backward()
        opt.step()
    print(epoch, loss.item())
