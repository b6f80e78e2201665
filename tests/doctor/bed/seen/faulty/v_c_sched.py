# expect: scheduler_misuse @ 43
# allowed: scheduler_misuse @ 34
"""Time series: next-hour energy load with an LSTM and a step-decay learning rate."""
import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

np.random.seed(130)
torch.manual_seed(130)
t = np.arange(1000)
load = 5 + np.sin(2 * np.pi * t / 24) + 0.5 * np.sin(2 * np.pi * t / 168) + np.random.normal(0, 0.1, 1000)
split, L = 800, 24
load = ((load - load[:split].mean()) / load[:split].std()).astype(np.float32)
X = torch.tensor(np.stack([load[i:i + L] for i in range(len(load) - L)])).unsqueeze(-1)
Y = torch.tensor(load[L:])
train_dl = DataLoader(TensorDataset(X[:split - L], Y[:split - L]), batch_size=32, shuffle=True)
X_test, Y_test = X[split - L:], Y[split - L:]


class LoadLSTM(nn.Module):
    def __init__(self, hidden=24):
        super().__init__()
        self.lstm = nn.LSTM(1, hidden, batch_first=True)
        self.fc = nn.Linear(hidden, 1)

    def forward(self, x):
        out, _ = self.lstm(x)
        return self.fc(out[:, -1]).squeeze(1)


model = LoadLSTM()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=8, gamma=0.3)
for epoch in range(16):
    model.train()
    s = 0.0
    for xb, yb in train_dl:
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(xb), yb)
        loss.backward()
        optimizer.step()
        scheduler.step()
        s += loss.item()
    if epoch % 4 == 3:
        print(f"epoch {epoch + 1} mse {s / len(train_dl):.4f} lr {optimizer.param_groups[0]['lr']:.2e}")

model.eval()
with torch.no_grad():
    print("test RMSE", round(((model(X_test) - Y_test) ** 2).mean().sqrt().item(), 4))
