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

class EarlyStopping:
    def __init__(self, patience=4):
        self.patience, self.counter, self.best, self.early_stop = patience, 0, None, False

    def __call__(self, epoch, score, model):
        if self.best is None or score > self.best:
            self.best, self.counter = score, 0
            self.state = {k: v.detach().clone() for k, v in model.state_dict().items()}
        else:
            self.counter += 1
            self.early_stop = self.counter >= self.patience

def loop(model, loader, criterion, optimizer):
    model.train()
    for x, y in loader:
        optimizer.zero_grad()
        criterion(model(x), y).backward()
        optimizer.step()

@torch.no_grad()
def val_loop(model, loader):
    model.eval()
    return sum((model(x).argmax(1) == y).sum().item() for x, y in loader) / len(loader.dataset)

train_loader = DataLoader(train_set, 32, shuffle=True)
val_loader, test_loader = DataLoader(val_set, 128), DataLoader(test_set, 128)
model = nn.Sequential(nn.Linear(64, 64), nn.GELU(), nn.Dropout(0.25), nn.Linear(64, 10))
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
stopper = EarlyStopping()
for epoch in range(25):
    loop(model, train_loader, nn.CrossEntropyLoss(), optimizer)
    stop = val_loop(model, val_loader)
    stopper(epoch, stop, model)
    if stopper.early_stop:
        break
model.load_state_dict(stopper.state)
print("epochs", epoch, "test", val_loop(model, test_loader))
