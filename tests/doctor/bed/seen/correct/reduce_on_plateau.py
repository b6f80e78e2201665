# expect: nothing
# looks suspicious: scheduler.step gets an argument and the learning rate stays equal for epochs:
# ReduceLROnPlateau waits for the validation loss to stop falling.
import torch
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn, optim
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
X, y = load_diabetes(return_X_y=True)
X_fit, X_val, y_fit, y_val = train_test_split(X, y[:, None], test_size=0.25, random_state=0)
sx, sy = StandardScaler().fit(X_fit), StandardScaler().fit(y_fit)


def to(a, scaler):
    return torch.tensor(scaler.transform(a), dtype=torch.float32)


train = DataLoader(TensorDataset(to(X_fit, sx), to(y_fit, sy)), batch_size=33, shuffle=True, drop_last=True)
X_val, y_val = to(X_val, sx), to(y_val, sy)
model = nn.Sequential(nn.Linear(10, 24), nn.ReLU(), nn.Linear(24, 1))
optimizer = optim.SGD(model.parameters(), lr=0.1, momentum=0.8, weight_decay=1e-3)
scheduler = optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.3, patience=2)
criterion = nn.MSELoss()
for epoch in range(16):
    model.train()
    for xb, yb in train:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        val = criterion(model(X_val), y_val).item()
    scheduler.step(val)
    if epoch % 3 == 0:
        print(f"epoch {epoch} train {loss.item():.4f} val {val:.4f} lr {optimizer.param_groups[0]['lr']:.5f}")
print("rmse in the target's units", round(val**0.5 * sy.scale_[0], 2))
