# expect: missing_zero_grad @ 30
# mend: 29 +             optimizer.zero_grad()
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

class Executor:
    def __init__(self):
        self.step = 0

    def train(self, model, optimizer, loader, args):
        model.train()
        clip = args.get("grad_clip", 50.0)
        total, n = 0.0, 0
        for feats, target in loader:
            if len(feats) == 0:
                continue
            loss = F.cross_entropy(model(feats), target)
            loss.backward()
            grad_norm = torch.nn.utils.clip_grad_norm_(model.parameters(), clip)
            if torch.isfinite(grad_norm):
                optimizer.step()
            total, n = total + loss.item(), n + 1
        return total / n

model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
opt = torch.optim.Adam(model.parameters(), lr=1e-3)
ex = Executor()
for epoch in range(6):
    print(epoch, ex.train(model, opt, DataLoader(train_set, 50, shuffle=True), {"grad_clip": 5.0}))
model.eval()
with torch.no_grad():
    print((model(test_set.tensors[0]).argmax(1) == test_set.tensors[1]).float().mean().item())
