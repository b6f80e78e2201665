# expect: nothing
import numpy as np
import torch
from torch import nn
from sklearn.datasets import load_iris, load_wine, load_breast_cancer, load_digits, make_classification, make_moons
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(3)
X, Y = load_iris(return_X_y=True)
CLASSES = len(set(Y))
xa, xt, ya, yt = train_test_split(X, Y, test_size=0.2, random_state=0, stratify=Y)
xa, xv, ya, yv = train_test_split(xa, ya, test_size=0.2, random_state=0, stratify=ya)
mean, std = xa.mean(0), xa.std(0)
std[std == 0] = 1
def tensors(x, y):
    return torch.tensor((x - mean) / std, dtype=torch.float32), torch.tensor(y, dtype=torch.long)
train, val, test = tensors(xa, ya), tensors(xv, yv), tensors(xt, yt)

class Net(nn.Module):
    def __init__(self, inputs, hidden=32, outputs=CLASSES):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(inputs, hidden), nn.ReLU(), nn.Dropout(0.1),
            nn.Linear(hidden, hidden), nn.ReLU())
        self.out = nn.Linear(hidden, outputs)

    def forward(self, x):
        h = self.layers(x)
        return self.out(h)

def evaluate(net, x, y):
    net.eval()
    with torch.no_grad():
        logits = net(x)
        loss = nn.functional.cross_entropy(logits, y).item()
        return loss, (logits.argmax(1) == y).float().mean().item()

net = Net(X.shape[1])
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9, weight_decay=1e-4)
loader = DataLoader(TensorDataset(*train), batch_size=8, shuffle=True)
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=20)
history = []
for epoch in range(20):
    net.train()
    running = 0.0
    for x, y in loader:
        optimizer.zero_grad()
        logits = net(x)
        loss = criterion(logits, y)
        loss.backward()
        optimizer.step()
        running += loss.item() * len(x)
    scheduler.step()
    history.append(running / len(loader.dataset))
    print(epoch, history[-1], evaluate(net, *val))
print("test", evaluate(net, *test))
