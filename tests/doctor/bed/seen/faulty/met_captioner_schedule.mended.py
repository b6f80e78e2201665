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

def lambda_lr(s):
    warm_up = 10
    s += 1
    return (64 ** -0.5) * min(s ** -0.5, s * warm_up ** -1.5) * 20

model = nn.Sequential(nn.Linear(64, 96), nn.ReLU(), nn.Linear(96, 10))
optim = torch.optim.Adam(model.parameters(), lr=1e-3)
scheduler = torch.optim.lr_scheduler.StepLR(optim, step_size=3, gamma=0.5)

def train_xe(model, dataloader):
    model.train()
    running = 0.0
    for x, y in dataloader:
        optim.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        optim.step()
        running += loss.item()
        
    return running / len(dataloader)

for e in range(9):
    print(e, train_xe(model, DataLoader(train_set, 64, shuffle=True)), optim.param_groups[0]["lr"])
    scheduler.step()
model.eval()
with torch.no_grad():
    print((model(test_set.tensors[0]).argmax(1) == test_set.tensors[1]).float().mean().item())
