# expect: nothing
# looks suspicious: most parameters never change and the backbone stays in eval mode while the head trains:
# linear evaluation of a frozen, pretrained backbone.
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
digits = load_digits()
x, y = torch.tensor(digits.data / 16).float(), torch.tensor(digits.target)
order = torch.randperm(len(x))
old, train, test = order[:700], order[700:1400], order[1400:]


class Classifier(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.backbone = nn.Sequential(nn.Linear(64, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Dropout(0.1))
        self.fc = nn.Linear(64, classes)

    def forward(self, inputs):
        return self.fc(self.backbone(inputs))


def train_epochs(model, optimizer, features, target, epochs, freeze=False):
    for epoch in range(epochs):
        model.train()
        if freeze:
            model.backbone.eval()
        for inputs, labels in DataLoader(TensorDataset(features, target), batch_size=50, shuffle=True):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(inputs), labels)
            loss.backward()
            optimizer.step()
        print(f"epoch {epoch} loss {loss.item():.4f}")


model = Classifier(2)
train_epochs(model, torch.optim.Adam(model.parameters(), lr=3e-3), x[old], (y[old] >= 5).long(), 4)
model.requires_grad_(False)
model.fc = nn.Linear(64, 10)
optimizer = torch.optim.SGD(filter(lambda p: p.requires_grad, model.parameters()), lr=0.1, momentum=0.9)
train_epochs(model, optimizer, x[train], y[train], 5, freeze=True)
model.eval()
with torch.no_grad():
    print(f"accuracy {(model(x[test]).argmax(1) == y[test]).float().mean():.3f}")
