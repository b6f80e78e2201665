# expect: nothing
# looks suspicious: the labels are shuffled away from their rows: a permutation test, the nets on shuffled
# labels say what accuracy chance gives; the first net has the true ones.
import numpy as np
import torch
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from torch import nn

X, y = load_wine(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.35, stratify=y, random_state=0)
mean, std = X_train.mean(0), X_train.std(0)
X_train = torch.tensor((X_train - mean) / std).float()
X_test = torch.tensor((X_test - mean) / std).float()
y_test = torch.tensor(y_test)


def accuracy_after_training(labels):
    torch.manual_seed(0)
    labels = torch.tensor(labels)
    net = nn.Sequential(nn.Linear(13, 12), nn.ReLU(), nn.Linear(12, 3))
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-2)
    net.train()
    for _ in range(12):
        for rows in torch.randperm(len(labels)).split(23):
            optimizer.zero_grad()
            nn.functional.cross_entropy(net(X_train[rows]), labels[rows]).backward()
            optimizer.step()
    net.eval()
    with torch.no_grad():
        return (net(X_test).argmax(1) == y_test).float().mean().item()


true_score = accuracy_after_training(y_train)
rng = np.random.default_rng(0)
null = [accuracy_after_training(rng.permutation(y_train)) for _ in range(8)]
p = (1 + sum(score >= true_score for score in null)) / (1 + len(null))
print(f"accuracy {true_score:.3f}, shuffled labels {np.mean(null):.3f}, p = {p:.3f}")
