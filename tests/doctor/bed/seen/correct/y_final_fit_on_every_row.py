# expect: nothing
# looks suspicious: the last training uses every row, those that folds were scored on among them, with a
# scaler of all rows: cross-validation has given the figure, the final model is for shipping and is not
# scored.
import numpy as np
import torch
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import StandardScaler
from torch import nn

X, y = load_breast_cancer(return_X_y=True)


class Model:
    def __init__(self, seed):
        torch.manual_seed(seed)
        self.scaler = StandardScaler()
        self.net = nn.Sequential(nn.Linear(30, 16), nn.ReLU(), nn.Linear(16, 1), nn.Flatten(0))

    def fit(self, features, labels, epochs=6):
        x = torch.tensor(self.scaler.fit_transform(features)).float()
        t = torch.tensor(labels).float()
        optimizer = torch.optim.Adam(self.net.parameters(), lr=5e-3)
        self.net.train()
        for _ in range(epochs):
            for rows in torch.randperm(len(x)).split(32):
                optimizer.zero_grad()
                loss = nn.functional.binary_cross_entropy_with_logits(self.net(x[rows]), t[rows])
                loss.backward()
                optimizer.step()
        self.last_loss = loss.item()
        return self

    def predict(self, features):
        self.net.eval()
        with torch.no_grad():
            return (self.net(torch.tensor(self.scaler.transform(features)).float()) > 0).numpy().astype(int)


scores = []
for fold, (a, b) in enumerate(StratifiedKFold(4, shuffle=True, random_state=0).split(X, y)):
    scores.append((Model(fold).fit(X[a], y[a]).predict(X[b]) == y[b]).mean())
    print(f"fold {fold} accuracy {scores[-1]:.3f}")
print(f"expected accuracy {np.mean(scores):.3f}")
final = Model(seed=99).fit(X, y)
print(f"final model trained on {len(X)} rows, last loss {final.last_loss:.4f}")
print(f"a new patient: {final.predict(X.mean(0, keepdims=True))}")
