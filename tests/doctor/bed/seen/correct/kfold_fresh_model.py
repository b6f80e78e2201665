# expect: nothing
# looks suspicious: the seed is set five times and rows of one fold's test are in another fold's training:
# each fold has its own scaler, model and optimizer, and starts from the same weights on purpose.
import numpy as np
import torch
from sklearn.datasets import load_wine
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

X, y = load_wine(return_X_y=True)


def tensors(a, b):
    return torch.tensor(a, dtype=torch.float32), torch.tensor(b)


scores = []
for fold, (fit, test) in enumerate(StratifiedKFold(5, shuffle=True, random_state=0).split(X, y)):
    torch.manual_seed(0)
    scaler = StandardScaler().fit(X[fit])
    train = TensorDataset(*tensors(scaler.transform(X[fit]), y[fit]))
    xt, yt = tensors(scaler.transform(X[test]), y[test])
    model = nn.Sequential(nn.Linear(13, 24), nn.ReLU(), nn.Dropout(0.1), nn.Linear(24, 3))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    model.train()
    for _ in range(10):
        for xb, yb in DataLoader(train, batch_size=16, shuffle=True):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(xb), yb)
            loss.backward()
            optimizer.step()
    model.eval()
    with torch.no_grad():
        score = (model(xt).argmax(1) == yt).float().mean().item()
    print(f"fold {fold} loss {loss.item():.4f} accuracy {score:.4f}")
    scores.append(score)
print(f"mean {np.mean(scores):.4f} ± {np.std(scores, ddof=1):.4f}")
