# expect: nothing
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

def get_blob_dict(model, batch):
    model.eval()
    with torch.no_grad():
        pred = model(batch["images"]).argmax(1)
    model.train()
    return {"pred": pred, "wrong": pred != batch["labels"]}

def compute_loss(model, batch):
    model.train()
    blobs = get_blob_dict(model, batch)
    logits = model(batch["images"])
    loss = F.cross_entropy(logits, batch["labels"])
    if blobs["wrong"].any():
        loss = loss + 0.5 * F.cross_entropy(logits[blobs["wrong"]], batch["labels"][blobs["wrong"]])
    return loss

model = nn.Sequential(nn.Linear(64, 96), nn.BatchNorm1d(96), nn.ReLU(), nn.Dropout(0.3), nn.Linear(96, 10))
opt = torch.optim.Adam(model.parameters(), lr=1e-3)
for epoch in range(8):
    total = 0.0
    for images, labels in DataLoader(train_set, 64, shuffle=True, drop_last=True):
        opt.zero_grad()
        loss = compute_loss(model, {"images": images, "labels": labels})
        loss.backward()
        opt.step()
        total += loss.item()
    print(epoch, round(total, 3))
model.eval()
with torch.no_grad():
    print("acc", (model(test_set.tensors[0]).argmax(1) == test_set.tensors[1]).float().mean().item())
