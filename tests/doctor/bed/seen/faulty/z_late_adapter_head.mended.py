# expect: nothing
# mends: z_late_adapter_head.py
"""A classifier whose adapter is attached after the optimizer was made."""

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn

torch.manual_seed(3)
X, y = load_digits(return_X_y=True)
X_train, X_val, y_train, y_val = train_test_split(X / 16, y, test_size=0.2, random_state=11)
X_train, X_val = torch.tensor(X_train).float(), torch.tensor(X_val).float()
y_train, y_val = torch.tensor(y_train), torch.tensor(y_val)


class Backbone(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Linear(64, 48), nn.ReLU(), nn.Dropout(0.1))
        self.adapter = nn.Identity()
        self.classifier = nn.Linear(48, 10)

    def forward(self, x):
        return self.classifier(self.adapter(self.features(x)))


model = Backbone()
model.adapter = nn.Sequential(nn.Linear(48, 48), nn.Tanh())
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
criterion = nn.CrossEntropyLoss()


def validate():
    model.eval()
    with torch.no_grad():
        return (model(X_val).argmax(1) == y_val).float().mean().item()


for epoch in range(3):
    model.train()
    for rows in torch.randperm(len(X_train)).split(100):
        optimizer.zero_grad()
        loss = criterion(model(X_train[rows]), y_train[rows])
        loss.backward()
        optimizer.step()
    print(epoch, round(loss.item(), 4), round(validate(), 4))
