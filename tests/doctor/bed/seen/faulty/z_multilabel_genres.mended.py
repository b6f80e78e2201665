# expect: nothing
# mends: z_multilabel_genres.py
"""Several genres for each film: multi-label with pos_weight."""

import numpy as np
import torch
from sklearn.datasets import make_multilabel_classification
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Films(Dataset):
    def __init__(self, features, genres):
        self.features = torch.as_tensor(features, dtype=torch.float32)
        self.genres = torch.as_tensor(genres, dtype=torch.float32)

    def __len__(self):
        return len(self.features)

    def __getitem__(self, i):
        return {"x": self.features[i], "y": self.genres[i]}


torch.manual_seed(0)
X, Y = make_multilabel_classification(900, 20, n_classes=5, random_state=3)
X_train, X_test, Y_train, Y_test = train_test_split(X, Y, test_size=0.2, random_state=0)
mean, std = X_train.mean(0), X_train.std(0)
train_loader = DataLoader(Films((X_train - mean) / std, Y_train), batch_size=60, shuffle=True)
test_loader = DataLoader(Films((X_test - mean) / std, Y_test), batch_size=180)

model = nn.Sequential(
    nn.Linear(20, 48),
    nn.ReLU(),
    nn.Linear(48, 5),
)
pos = torch.tensor((1 - Y_train.mean(0)) / Y_train.mean(0), dtype=torch.float32)
criterion = nn.BCEWithLogitsLoss(pos_weight=pos)
optimizer = torch.optim.RMSprop(model.parameters(), lr=2e-3)

for epoch in range(5):
    model.train()
    for batch in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(batch["x"]), batch["y"])
        loss.backward()
        optimizer.step()
    model.eval()
    exact = []
    with torch.no_grad():
        for batch in test_loader:
            guess = (model(batch["x"]) > 0.0).float()
            exact.append((guess == batch["y"]).float().mean().item())
    print(f"epoch {epoch} loss {loss.item():.4f} label accuracy {np.mean(exact):.3f}")
