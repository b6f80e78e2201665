# expect: selection_on_test @ 50
# allowed: selection_on_test @ 51
# allowed: selection_on_test @ 52
# allowed: selection_on_test @ 55
# allowed: selection_on_test @ 57
"""Questionnaire data: keeps the best epoch's weights and reports the final test accuracy."""
import copy

import torch
import torch.nn as nn
from sklearn.datasets import make_classification
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(27)
X, y = make_classification(n_samples=400, n_features=20, n_informative=4, flip_y=0.2, class_sep=0.7, random_state=27)
X_tmp, X_test, y_tmp, y_test = train_test_split(X, y, test_size=50, random_state=0, stratify=y)
X_train, X_val, y_train, y_val = train_test_split(X_tmp, y_tmp, test_size=50, random_state=0, stratify=y_tmp)

sc = StandardScaler().fit(X_train)
ds = lambda a, b: TensorDataset(torch.tensor(sc.transform(a), dtype=torch.float32), torch.tensor(b))
train_loader = DataLoader(ds(X_train, y_train), batch_size=24, shuffle=True)
val_loader = DataLoader(ds(X_val, y_val), batch_size=50)
test_loader = DataLoader(ds(X_test, y_test), batch_size=50)


def accuracy(model, loader):
    model.eval()
    right = total = 0
    with torch.no_grad():
        for xb, yb in loader:
            right += (model(xb).argmax(1) == yb).sum().item()
            total += len(yb)
    return right / total


model = nn.Sequential(nn.Linear(20, 32), nn.ReLU(), nn.Dropout(0.5), nn.Linear(32, 2))
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
criterion = nn.CrossEntropyLoss()
best_acc, best_state = 0.0, None

for epoch in range(50):
    model.train()
    for xb, yb in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
    acc = accuracy(model, test_loader)
    if acc > best_acc:
        best_acc, best_state = acc, copy.deepcopy(model.state_dict())
        print(f"epoch {epoch}: best so far {best_acc:.3f}")

model.load_state_dict(best_state)
print(f"validation accuracy {accuracy(model, val_loader):.3f}")
print(f"test accuracy {accuracy(model, test_loader):.3f}")
