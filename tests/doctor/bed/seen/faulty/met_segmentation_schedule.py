# expect: scheduler_misuse @ 30
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

params = {"initial_lr": 0.05, "num_epochs": 12, "batch_size": 32}
model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
optimizer = torch.optim.SGD(model.parameters(), lr=params["initial_lr"], momentum=0.9)
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, params["num_epochs"])
loader = DataLoader(train_set, params["batch_size"], shuffle=True)
for epoch in range(params["num_epochs"]):
    model.train()
    total, num_steps = 0.0, 0
    for x, y in loader:
        loss = F.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        num_steps += 1
        total += loss.item()
    
    print(epoch, total / num_steps)
model.eval()
with torch.no_grad():
    print((model(test_set.tensors[0]).argmax(1) == test_set.tensors[1]).float().mean().item())
