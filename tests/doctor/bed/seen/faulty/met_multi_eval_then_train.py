# expect: missing_eval @ 48
# allowed: missing_eval @ 50
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

class Fusion(nn.Module):
    def __init__(self):
        super().__init__()
        self.left, self.right = nn.Linear(32, 48), nn.Linear(32, 48)
        self.head = nn.Sequential(nn.Dropout(0.4), nn.Linear(96, 10))

    def forward(self, inputs):
        return self.head(torch.cat([torch.relu(self.left(inputs[0])), torch.relu(self.right(inputs[1]))], 1))

def deal_with_objective(objective, pred, truth):
    return objective(pred, truth.long())

def train(model, trainloader, validloader, epochs, objective=nn.CrossEntropyLoss(), lr=2e-3):
    op = torch.optim.AdamW(model.parameters(), lr=lr)
    bestacc, best = 0, None
    for epoch in range(epochs):
        totalloss, totals = 0.0, 0
        model.train()
        for x, y in trainloader:
            op.zero_grad()
            out = model([x[:, :32], x[:, 32:]])
            loss = deal_with_objective(objective, out, y)
            totalloss += loss.item() * len(y)
            totals += len(y)
            loss.backward()
            op.step()
        print("Epoch", epoch, "train loss:", totalloss / totals)
        model.eval()
        with torch.no_grad():
            totalloss, pred, true = 0.0, [], []
            model.train()
            for x, y in validloader:
                out = model([x[:, :32], x[:, 32:]])
                totalloss += deal_with_objective(objective, out, y) * len(y)
                pred.append(out.argmax(1))
                true.append(y)
        acc = (torch.cat(pred) == torch.cat(true)).float().mean().item()
        print("valid loss:", totalloss.item() / len(torch.cat(true)), "acc:", acc)
        if acc > bestacc:
            bestacc, best = acc, {k: v.clone() for k, v in model.state_dict().items()}
    return best

model = Fusion()
model.load_state_dict(train(model, DataLoader(train_set, 64, shuffle=True), DataLoader(val_set, 64), 8))
model.eval()
with torch.no_grad():
    hits = sum((model([x[:, :32], x[:, 32:]]).argmax(1) == y).sum().item() for x, y in DataLoader(test_set, 64))
print("test acc", hits / len(test_set))
