# expect: missing_zero_grad @ 36
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

class AverageMeter:
    def __init__(self):
        self.sum = self.count = 0.0

    def update(self, val, n=1):
        self.sum, self.count = self.sum + val * n, self.count + n

    @property
    def avg(self):
        return self.sum / self.count

def train(config, loader, model, decoder, criterion, optimizer):
    losses = AverageMeter()
    decoder.train()
    for x, targets in loader:
        with torch.no_grad():
            features = torch.tanh(model(x))
        logits = decoder(features).squeeze(1)
        loss = criterion(logits, (targets % 2).float()).mean()
        loss.backward()
        optimizer.step()
        losses.update(loss.item(), len(x))
    return losses.avg

body = nn.Linear(64, 128).requires_grad_(False)
body.eval()
decoder = nn.Sequential(nn.Linear(128, 32), nn.ReLU(), nn.Dropout(0.1), nn.Linear(32, 1))
opt = torch.optim.Adam(decoder.parameters(), lr=1e-3)
for epoch in range(8):
    print(epoch, train({}, DataLoader(train_set, 64, shuffle=True), body, decoder, nn.BCEWithLogitsLoss(reduction="none"), opt))
decoder.eval()
with torch.no_grad():
    x, y = test_set.tensors
    print("acc", ((decoder(torch.tanh(body(x))).squeeze(1) > 0) == (y % 2 == 1)).float().mean().item())
