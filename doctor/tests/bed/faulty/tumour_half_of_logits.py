# expect: threshold_on_logits @ 38
# mend: 38 →             answers = (torch.sigmoid(model(rows)) > 0.5).float()
import torch
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn

torch.manual_seed(0)
x, y = load_breast_cancer(return_X_y=True)
x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.25, random_state=1)
scaler = StandardScaler().fit(x_train)
x_train = torch.tensor(scaler.transform(x_train), dtype=torch.float32)
x_test = torch.tensor(scaler.transform(x_test), dtype=torch.float32)
y_train = torch.tensor(y_train, dtype=torch.float32).view(-1, 1)
y_test = torch.tensor(y_test, dtype=torch.float32).view(-1, 1)


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(30, 16), nn.ReLU(), nn.Linear(16, 1))

    def forward(self, rows):
        return self.layers(rows)


model = Classifier()
measure = nn.BCEWithLogitsLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)


def accuracy(x, y):
    model.eval()
    right = 0.0
    with torch.no_grad():
        for rows, truth in zip(x.split(32), y.split(32)):
            answers = (model(rows) > 0.5).float()
            right += (answers == truth).sum().item()
    return right / len(x)


for epoch in range(30):
    model.train()
    optimizer.zero_grad()
    loss = measure(model(x_train), y_train)
    loss.backward()
    optimizer.step()
print("train", accuracy(x_train, y_train), "test", accuracy(x_test, y_test))
