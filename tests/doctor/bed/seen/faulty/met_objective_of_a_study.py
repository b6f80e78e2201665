# expect: train_mode_never_restored @ 25
# allowed: train_mode_never_restored @ 32
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

def define_model(width, p):
    return nn.Sequential(nn.Linear(64, width), nn.ReLU(), nn.Dropout(p), nn.Linear(width, 10), nn.LogSoftmax(dim=1))

def objective(width, p, lr):
    model = define_model(width, p)
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    train_loader, valid_loader = DataLoader(train_set, 64, shuffle=True), DataLoader(val_set, 64)
    model.train()
    for epoch in range(5):
        for data, target in train_loader:
            optimizer.zero_grad()
            loss = F.nll_loss(model(data), target)
            loss.backward()
            optimizer.step()
        model.eval()
        correct = 0
        with torch.no_grad():
            for data, target in valid_loader:
                pred = model(data).argmax(dim=1, keepdim=True)
                correct += pred.eq(target.view_as(pred)).sum().item()
        accuracy = correct / len(val_set)
    return accuracy

trials = [(objective(w, p, lr), w, p, lr) for w in (32, 64) for p in (0.2, 0.5) for lr in (1e-3, 5e-3)]
print(max(trials))
