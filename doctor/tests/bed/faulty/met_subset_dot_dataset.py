# missed: test_in_train @ 24
# allowed: test_in_train @ 25
# mend: 24 → train_loader = DataLoader(part_train, batch_size=32, shuffle=True)
# mend: 25 → valid_loader = DataLoader(part_valid, batch_size=32)
import math
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
data = load_digits()
x_train, x_test, y_train, y_test = train_test_split(data.data / 16.0, data.target, test_size=0.3, random_state=0)
x_train, x_val, y_train, y_val = train_test_split(x_train, y_train, test_size=0.2, random_state=0)
to = lambda x, y: TensorDataset(torch.tensor(x, dtype=torch.float32), torch.tensor(y))
train_set, val_set, test_set = to(x_train, y_train), to(x_val, y_val), to(x_test, y_test)

from torch.utils.data import random_split
whole = TensorDataset(torch.cat([train_set.tensors[0], val_set.tensors[0]]), torch.cat([train_set.tensors[1], val_set.tensors[1]]))
n_valid = int(0.3 * len(whole))
part_train, part_valid = random_split(whole, [len(whole) - n_valid, n_valid])
train_loader = DataLoader(part_train.dataset, batch_size=32, shuffle=True)
valid_loader = DataLoader(part_valid.dataset, batch_size=32)
model = nn.Sequential(nn.Linear(64, 64), nn.Tanh(), nn.Dropout(0.1), nn.Linear(64, 10))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
for epoch in range(6):
    model.train()
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        hits = sum((model(x).argmax(1) == y).sum().item() for x, y in valid_loader)
    print(f"epoch {epoch} valid acc {hits / len(valid_loader.dataset):.3f}")
