# expect: nothing
# looks suspicious: the model is evaluated without ever calling eval(): none of its layers behaves
# differently in the two modes (no dropout, no batch norm).
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset, random_split

torch.manual_seed(42)
images, labels = load_digits(return_X_y=True)
dataset = TensorDataset(torch.from_numpy(images).float() / 16, torch.from_numpy(labels))
train_ds, val_ds = random_split(dataset, [1400, 397])
train_dl = DataLoader(train_ds, batch_size=64, shuffle=True)
val_dl = DataLoader(val_ds, batch_size=128)


class MnistModel(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.linear1 = torch.nn.Linear(64, 32)
        self.linear2 = torch.nn.Linear(32, 10)

    def forward(self, xb):
        return self.linear2(F.relu(self.linear1(xb)))

    def training_step(self, batch):
        xb, yb = batch
        return F.cross_entropy(self(xb), yb)

    def validation_step(self, batch):
        xb, yb = batch
        out = self(xb)
        return {"loss": F.cross_entropy(out, yb), "acc": (out.argmax(1) == yb).float().mean()}


@torch.no_grad()
def evaluate(model, loader):
    outputs = [model.validation_step(batch) for batch in loader]
    return {k: torch.stack([o[k] for o in outputs]).mean().item() for k in ("loss", "acc")}


model = MnistModel()
opt = torch.optim.Adam(model.parameters(), 5e-3)
for epoch in range(5):
    for batch in train_dl:
        loss = model.training_step(batch)
        loss.backward()
        opt.step()
        opt.zero_grad()
    result = evaluate(model, val_dl)
    print(f"Epoch [{epoch}], val_loss: {result['loss']:.4f}, val_acc: {result['acc']:.4f}")
