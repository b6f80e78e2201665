# expect: scaler_leakage @ 12
"""Min-max scaling of the whole table by hand, and the split afterwards."""

import numpy as np
import torch
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split
from torch import nn

torch.manual_seed(0)
X, y = load_diabetes(return_X_y=True, scaled=False)
X = (X - X.min(axis=0)) / (X.max(axis=0) - X.min(axis=0))
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, random_state=5)
center, spread = y_train.mean(), y_train.std()
X_train, X_test = X_train.astype(np.float32), X_test.astype(np.float32)
y_train = ((y_train - center) / spread).astype(np.float32)
y_test = ((y_test - center) / spread).astype(np.float32)
train = torch.utils.data.TensorDataset(torch.from_numpy(X_train), torch.from_numpy(y_train))
loader = torch.utils.data.DataLoader(train, batch_size=33, shuffle=True)
net = nn.Sequential(nn.Linear(10, 24), nn.ReLU(), nn.Linear(24, 1), nn.Flatten(0))
opt = torch.optim.Adam(net.parameters(), lr=5e-3)
for _epoch in range(12):
    for xb, yb in loader:
        loss = nn.functional.mse_loss(net(xb), yb)
        opt.zero_grad()
        loss.backward()
        opt.step()
net.eval()
with torch.no_grad():
    prediction = net(torch.from_numpy(X_test)).numpy()
print("test mse", np.mean((prediction - y_test) ** 2))
