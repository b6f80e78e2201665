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

class LabelModel(nn.Module):
    def __init__(self, classes, functions):
        super().__init__()
        self.prior = nn.Parameter(torch.zeros(classes))
        self.accuracy = nn.Parameter(torch.zeros(functions, classes))

    def forward(self, votes):  # [B, F] classes or -1
        lp = F.logsigmoid(self.accuracy)[None]
        ln = F.logsigmoid(-self.accuracy)[None] - math.log(9)
        hit = F.one_hot(votes.clamp(min=0), 10).float()
        each = hit * lp + (1 - hit) * ln
        each = each * (votes >= 0).float()[..., None]
        return torch.logsumexp(F.log_softmax(self.prior, 0) + each.sum(1), 1)

    def estimate(self, batches, epochs, optimizer):
        for epoch in range(epochs):
            running_loss = 0.0
            for (votes,) in batches:
                optimizer.zero_grad()
                loss = -self(votes).mean()
                loss.backward()
                optimizer.step()
                running_loss += loss.item()
            print(epoch, f"{running_loss / len(batches):.4f}")

gen = torch.Generator().manual_seed(3)
true = torch.tensor(data.target)
noisy = [torch.where(torch.rand(len(true), generator=gen) < q, true, torch.randint(10, (len(true),), generator=gen)) for q in (0.8, 0.6, 0.5, 0.7)]
model = LabelModel(10, 4)
model.estimate(DataLoader(TensorDataset(torch.stack(noisy, 1)), 64, shuffle=True), 4, torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9))
