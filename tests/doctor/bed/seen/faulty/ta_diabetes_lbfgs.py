# expect: target_broadcast @ 45
# allowed: target_broadcast @ 27
"""Course exercise 4: disease progression, full-batch training with L-BFGS and an L2 penalty."""
import torch
import torch.nn as nn
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split

torch.manual_seed(2024)


def load():
    X, y = load_diabetes(return_X_y=True)
    parts = train_test_split(X, y, test_size=0.3, random_state=2024)
    X_train, X_test, y_train, y_test = (torch.tensor(p, dtype=torch.float32) for p in parts)
    mean, std = X_train.mean(0), X_train.std(0)
    X_train, X_test = (X_train - mean) / std, (X_test - mean) / std
    centre, scale = y_train.mean(), y_train.std()
    return X_train, (y_train - centre) / scale, X_test, (y_test - centre) / scale


def penalty(model):
    return sum(p.pow(2).sum() for name, p in model.named_parameters() if name.endswith("weight"))


def mse(prediction, target):
    return ((prediction - target) ** 2).mean()


def r_squared(prediction, target):
    residual = ((prediction - target) ** 2).sum()
    return (1 - residual / ((target - target.mean()) ** 2).sum()).item()


X_train, y_train, X_test, y_test = load()
model = nn.Sequential(nn.Linear(10, 8), nn.Tanh(), nn.Linear(8, 1))
optimizer = torch.optim.LBFGS(model.parameters(), lr=0.5, max_iter=10, history_size=10, line_search_fn="strong_wolfe")
weight = 1e-2

for step in range(8):

    def closure():
        optimizer.zero_grad()
        out = model(X_train)
        loss = mse(out, y_train) + weight * penalty(model)
        loss.backward()
        return loss

    objective = optimizer.step(closure)
    print(f"step {step}: objective {objective.item():.4f}")

model.eval()
with torch.no_grad():
    fit = r_squared(model(X_train)[:, 0], y_train)
    held = r_squared(model(X_test)[:, 0], y_test)
print(f"R2 train {fit:.3f}, test {held:.3f}")
