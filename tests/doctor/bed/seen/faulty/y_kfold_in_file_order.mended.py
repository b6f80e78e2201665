# expect: nothing
"""Cross-validation of an iris net with KFold as it comes."""

import numpy as np
import torch
from sklearn.datasets import load_iris
from sklearn.model_selection import KFold
from torch import nn
from torch.utils.data import DataLoader, Subset, TensorDataset

X, y = load_iris(return_X_y=True)
scores = []
kfold = KFold(n_splits=3, shuffle=True, random_state=0)
for fold, (train_ids, test_ids) in enumerate(kfold.split(X)):
    torch.manual_seed(42 + fold)
    mean, std = X[train_ids].mean(0), X[train_ids].std(0)
    dataset = TensorDataset(torch.tensor((X - mean) / std).float(), torch.tensor(y))
    train_loader = DataLoader(Subset(dataset, train_ids), batch_size=10, shuffle=True)
    test_loader = DataLoader(Subset(dataset, test_ids), batch_size=50)
    network = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 3))
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-2)
    for _ in range(15):
        network.train()
        for inputs, targets in train_loader:
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(network(inputs), targets)
            loss.backward()
            optimizer.step()
    network.eval()
    correct = total = 0
    with torch.no_grad():
        for inputs, targets in test_loader:
            _, predicted = torch.max(network(inputs), 1)
            correct += (predicted == targets).sum().item()
            total += targets.size(0)
    scores.append(100.0 * correct / total)
    print(f"fold {fold}: loss {loss.item():.4f}, accuracy {scores[-1]:.1f} %")
print(f"average {np.mean(scores):.1f} %")
