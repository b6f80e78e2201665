# expect: nothing
# looks suspicious: one of three classes has 4 % of the rows: the loss weighs classes by inverse frequency
# and the figure is balanced accuracy.
import numpy as np
import torch
from sklearn.datasets import make_classification
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from sklearn.utils.class_weight import compute_class_weight
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
X, y = make_classification(
    2000,
    10,
    n_informative=6,
    n_classes=3,
    weights=[0.66, 0.3, 0.04],
    class_sep=1.6,
    flip_y=0.0,
    random_state=1,
)
Xa, Xb, ya, yb = train_test_split(X, y, test_size=0.3, stratify=y, random_state=0)
sc = StandardScaler().fit(Xa)
weight = compute_class_weight("balanced", classes=np.arange(3), y=ya)
criterion = nn.CrossEntropyLoss(weight=torch.tensor(weight, dtype=torch.float32))
ds = TensorDataset(torch.tensor(sc.transform(Xa), dtype=torch.float32), torch.tensor(ya))
model = nn.Sequential(nn.Linear(10, 48), nn.ReLU(), nn.Linear(48, 3))
opt = torch.optim.Adam(model.parameters(), lr=5e-3)
for epoch in range(8):
    model.train()
    for xb, tb in DataLoader(ds, batch_size=100, shuffle=True):
        opt.zero_grad()
        loss = criterion(model(xb), tb)
        loss.backward()
        opt.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
model.eval()
with torch.no_grad():
    guess = model(torch.tensor(sc.transform(Xb), dtype=torch.float32)).argmax(1).numpy()
print("balanced accuracy", round(balanced_accuracy_score(yb, guess), 4))
