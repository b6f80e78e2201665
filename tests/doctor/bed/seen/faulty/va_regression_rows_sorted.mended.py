# expect: nothing
import numpy as np
import torch
from torch import nn
from sklearn.datasets import load_diabetes, make_regression, make_friedman1
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(4)
X, Y = make_regression(1200, 12, noise=10.0, random_state=2)
xa, xt, ya, yt = train_test_split(X, Y, test_size=0.2, random_state=0)
xa, xv, ya, yv = train_test_split(xa, ya, test_size=0.2, random_state=0)
mean, std = xa.mean(axis=0), xa.std(axis=0)
ym, ys = ya.mean(), ya.std()
def tensors(x, y):
    return torch.tensor((x - mean) / std, dtype=torch.float32), torch.tensor((y - ym) / ys, dtype=torch.float32).unsqueeze(1)
train, val, test = tensors(xa, ya), tensors(xv, yv), tensors(xt, yt)

class Net(nn.Module):
    def __init__(self, inputs, hidden=32):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(inputs, hidden), nn.ReLU(), nn.Dropout(0.1),
            nn.Linear(hidden, hidden), nn.ReLU())
        self.out = nn.Linear(hidden, 1)

    def forward(self, x):
        h = self.layers(x)
        return self.out(h)

def evaluate(net, x, y):
    net.eval()
    with torch.no_grad():
        pred = net(x)
        return nn.functional.mse_loss(pred, y).item(), (pred - y).abs().mean().item()

net = Net(X.shape[1])
criterion = nn.SmoothL1Loss()
optimizer = torch.optim.AdamW(net.parameters(), lr=0.003, weight_decay=1e-3)
loader = DataLoader(TensorDataset(*train), batch_size=64, shuffle=True)
scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=12 // 2, gamma=0.3)
history = []
for epoch in range(12):
    net.train()
    running = 0.0
    for x, y in loader:
        optimizer.zero_grad()
        pred = net(x)
        loss = criterion(pred, y)
        loss.backward()
        optimizer.step()
        running += loss.item() * len(x)
    scheduler.step()
    history.append(running / len(loader.dataset))
    print(epoch, history[-1], evaluate(net, *val))
print("test", evaluate(net, *test))
