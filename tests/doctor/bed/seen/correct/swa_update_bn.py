# expect: nothing
# looks suspicious: after training a whole pass runs in train mode under no_grad: update_bn re-estimates the
# averaged model's batch-norm statistics.
import torch
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.optim.swa_utils import SWALR, AveragedModel, update_bn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
X, y = load_breast_cancer(return_X_y=True)
Xa, Xb, ya, yb = train_test_split(X, y, test_size=0.25, random_state=2, stratify=y)
scaler = StandardScaler().fit(Xa)
ta = TensorDataset(torch.tensor(scaler.transform(Xa), dtype=torch.float32), torch.tensor(ya))
Xb, yb = torch.tensor(scaler.transform(Xb), dtype=torch.float32), torch.tensor(yb)
loader = DataLoader(ta, batch_size=32, shuffle=True, drop_last=True)

model = nn.Sequential(nn.Linear(30, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 2))
swa_model = AveragedModel(model)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-4)
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=6)
swa_scheduler = SWALR(optimizer, swa_lr=0.02, anneal_epochs=2)

for epoch in range(10):
    model.train()
    for xb, yb_ in loader:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(xb), yb_)
        loss.backward()
        optimizer.step()
    if epoch >= 6:
        swa_model.update_parameters(model)
        swa_scheduler.step()
    else:
        scheduler.step()
    print(f"epoch {epoch} lr {optimizer.param_groups[0]['lr']:.4f} loss {loss.item():.4f}")

update_bn(loader, swa_model)
swa_model.eval()
with torch.no_grad():
    print("swa accuracy", (swa_model(Xb).argmax(1) == yb).float().mean().item())
