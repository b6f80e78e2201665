# expect: nothing
"""Course lab: one loop for both phases, as in the well-known transfer learning tutorial, on the breast cancer table."""
import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch.utils.data import DataLoader, TensorDataset

SEED = 3
torch.manual_seed(SEED)
X, y = load_breast_cancer(return_X_y=True)
X_train, X_val, y_train, y_val = train_test_split(X, y, test_size=0.25, stratify=y, random_state=SEED)
scaler = StandardScaler().fit(X_train)


def as_dataset(features, labels):
    return TensorDataset(torch.from_numpy(scaler.transform(features).astype(np.float32)), torch.from_numpy(labels))


datasets = {"train": as_dataset(X_train, y_train), "val": as_dataset(X_val, y_val)}
dataloaders = {
    phase: DataLoader(ds, batch_size=16, shuffle=(phase == "train"), drop_last=(phase == "train"))
    for phase, ds in datasets.items()
}

model = nn.Sequential(
    nn.Linear(30, 48), nn.BatchNorm1d(48), nn.ReLU(), nn.Dropout(0.4),
    nn.Linear(48, 24), nn.ReLU(), nn.Dropout(0.4),
    nn.Linear(24, 2),
)
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)


def run_epoch(phase):
    model.train(phase == "train")
    running_loss, running_corrects, seen = 0.0, 0, 0
    for inputs, labels in dataloaders[phase]:
        with torch.set_grad_enabled(phase == "train"):
            outputs = model(inputs)
            loss = criterion(outputs, labels)
        if phase == "train":
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        running_loss += loss.item() * len(inputs)
        running_corrects += (outputs.argmax(1) == labels).sum().item()
        seen += len(inputs)
    return running_loss / seen, running_corrects / seen


for epoch in range(7):
    for phase in ("train", "val"):
        epoch_loss, epoch_acc = run_epoch(phase)
        print(f"epoch {epoch:2d} {phase:5s} loss {epoch_loss:.4f} acc {epoch_acc:.4f}")
