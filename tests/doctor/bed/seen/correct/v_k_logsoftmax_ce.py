# expect: nothing
"""Digits network whose forward ends in log_softmax, trained with cross_entropy; probabilities only for display."""
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(3)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(64, 50)
        self.fc2 = nn.Linear(50, 10)

    def forward(self, x):
        x = F.relu(self.fc1(x))
        return F.log_softmax(self.fc2(x), dim=1)


X, y = load_digits(return_X_y=True)
Xa, Xb, ya, yb = train_test_split(torch.tensor(X / 16, dtype=torch.float32), torch.tensor(y), test_size=0.25, random_state=3, stratify=y)
train_loader = DataLoader(TensorDataset(Xa, ya), batch_size=64, shuffle=True)
test_loader = DataLoader(TensorDataset(Xb, yb), batch_size=64, shuffle=False)
net = Net()
optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
for epoch in range(12):
    net.train()
    for batch, (x, t) in enumerate(train_loader):
        optimizer.zero_grad()
        loss = F.cross_entropy(net(x), t)
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch}: last batch loss {loss.item():.4f}")

net.eval()
confidence, correct = [], 0
with torch.no_grad():
    for x, t in test_loader:
        p = net(x).exp()
        conf, cls = p.max(dim=1)
        confidence.append(conf)
        correct += cls.eq(t).sum().item()
print(f"accuracy {correct / len(yb):.3f} mean confidence {torch.cat(confidence).mean().item():.3f}")
