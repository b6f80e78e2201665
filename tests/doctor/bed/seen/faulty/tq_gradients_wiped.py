# expect: no_step @ 34
# allowed: no_step @ 28
"""Large batches of wine, four parts at a time."""
import torch
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
wine = load_wine()
x_train, x_test, y_train, y_test = train_test_split(wine.data, wine.target, test_size=0.3, random_state=1)
scaler = StandardScaler().fit(x_train)
rows = TensorDataset(torch.tensor(scaler.transform(x_train)).float(), torch.tensor(y_train))
loader = DataLoader(rows, batch_size=8, shuffle=True)
net = nn.Sequential(nn.Linear(13, 24), nn.Tanh(), nn.Linear(24, 3))
loss_of = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(net.parameters(), lr=0.2, momentum=0.9)
PARTS = 4


def one_epoch() -> float:
    total = 0.0
    for part, (x, y) in enumerate(loader, 1):
        answers = net(x)
        loss = loss_of(answers, y) / PARTS
        loss.backward()
        total += loss.item() * PARTS
        if part % PARTS:
            continue
        norm = nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        assert norm.isfinite()
        optimizer.zero_grad()
    optimizer.zero_grad()
    return total / len(loader)


for epoch in range(15):
    print(epoch, round(one_epoch(), 4))
with torch.no_grad():
    answers = net(torch.tensor(scaler.transform(x_test)).float())
    print("right:", (answers.argmax(1) == torch.tensor(y_test)).float().mean().item())
