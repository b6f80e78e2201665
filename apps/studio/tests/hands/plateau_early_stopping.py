import copy

import torch
from torch import nn
from torch.optim.lr_scheduler import ReduceLROnPlateau

torch.manual_seed(3)
X, noise = torch.randn(60, 5), torch.randn(60, 1)
Y = X[:, :1] * X[:, 1:2] + 0.3 * noise
X_train, X_val, Y_train, Y_val = X[:40], X[40:], Y[:40], Y[40:]
model = nn.Sequential(nn.Linear(5, 32), nn.ReLU(), nn.Linear(32, 1))
optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
plateau = ReduceLROnPlateau(optimizer, factor=0.5, patience=2)
best_loss, best_weights, patience, waited = float("inf"), None, 8, 0
for epoch in range(200):
    optimizer.zero_grad()
    nn.functional.mse_loss(model(X_train), Y_train).backward()
    optimizer.step()
    with torch.no_grad():
        val = nn.functional.mse_loss(model(X_val), Y_val).item()
    plateau.step(val)
    if val < best_loss:
        best_loss, best_weights, waited = val, copy.deepcopy(model.state_dict()), 0
    else:
        waited += 1
    print(epoch, val, optimizer.param_groups[0]["lr"], waited)
    if waited == patience and epoch > 30:
        print("early stopping at epoch", epoch)
        break
model.load_state_dict(best_weights)
print("best", best_loss, sum(p.abs().sum().item() for p in model.parameters()))
