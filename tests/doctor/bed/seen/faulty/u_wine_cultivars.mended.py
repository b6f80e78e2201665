# expect: nothing
"""Which of three cultivars a wine comes from, by its chemical analysis."""
import numpy as np
import torch
from sklearn.datasets import load_wine
from sklearn.metrics import confusion_matrix
from sklearn.model_selection import train_test_split
from torch import nn

torch.manual_seed(5)

wine = load_wine()
X_train, X_test, y_train, y_test = train_test_split(
    wine.data, wine.target, test_size=0.3, stratify=wine.target, random_state=5)

mean, std = X_train.mean(axis=0), X_train.std(axis=0)
X_train, X_test = (X_train - mean) / std, (X_test - mean) / std
X_train = torch.tensor(X_train, dtype=torch.float32)
X_test = torch.tensor(X_test, dtype=torch.float32)
y_train = torch.tensor(y_train)
y_test = torch.tensor(y_test)

model = nn.Sequential(
    nn.Linear(13, 32),
    nn.ReLU(),
    nn.Linear(32, 16),
    nn.ReLU(),
    nn.Linear(16, 3),
)
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)

batch = 16
for epoch in range(30):
    model.train()
    order = torch.randperm(len(X_train))
    losses = []
    for i in range(0, len(order), batch):
        rows = order[i : i + batch]
        optimizer.zero_grad()
        loss = criterion(model(X_train[rows]), y_train[rows])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    if (epoch + 1) % 10 == 0:
        print(f"epoch {epoch + 1}: loss {np.mean(losses):.4f}")

model.eval()
with torch.no_grad():
    predicted = model(X_test).argmax(dim=1)
print("test accuracy", round((predicted == y_test).float().mean().item(), 3))
print(confusion_matrix(y_test.numpy(), predicted.numpy()))
