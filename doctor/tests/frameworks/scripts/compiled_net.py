"""torch.compile: a compiled net and a compiled loss, trained and validated by hand."""

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Subset, TensorDataset, random_split

torch.manual_seed(0)
rows, kinds = 487, 3
y = torch.arange(rows) * kinds // rows
x = torch.randn(rows, 8) + 1.5 * torch.randn(kinds, 8)[y]
targets = y
#? label_misaligned: targets = y[torch.randperm(rows)]
whole = TensorDataset(x, targets)
train_set, val_set = random_split(whole, [343, 144])
#! unshuffled_sorted: train_set, val_set = (Subset(whole, sorted(part.indices)) for part in random_split(whole, [343, 144]))
train_loader = DataLoader(train_set, batch_size=16, shuffle=True, drop_last=True)
#! test_in_train: train_loader = DataLoader(whole, batch_size=16, shuffle=True, drop_last=True)
#! unshuffled_sorted: train_loader = DataLoader(train_set, batch_size=16, drop_last=True)
val_loader = DataLoader(val_set, batch_size=48)


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(8, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Dropout(0.2))
        self.parts = nn.ModuleList([nn.Linear(32, 32)])
        #! params_not_in_optimizer: self.parts = [nn.Linear(32, 32)]
        self.head = nn.Linear(32, kinds)

    def forward(self, rows):
        hidden = self.body(rows)
        for part in self.parts:
            hidden = torch.relu(part(hidden))
        return self.head(hidden)
        #? softmax_before_cross_entropy__inside: return self.head(hidden).softmax(1)


net = Tagger()
model = torch.compile(net, backend="aot_eager")
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
#! lr_too_low: optimizer = torch.optim.SGD(model.parameters(), lr=1e-6, momentum=0.9)
#! lr_too_high: optimizer = torch.optim.SGD(model.parameters(), lr=3.0, momentum=0.9)
schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=10)
for epoch in range(10):
    model.train()
    #! train_mode_never_restored: pass
    #! missing_eval: model.train()
    total = 0.0
    for rows, labels in train_loader:
        #@ unshuffled_sorted
        optimizer.zero_grad()
        #! missing_zero_grad: pass
        loss = F.cross_entropy(model(rows), labels)
        #! softmax_before_cross_entropy: loss = F.cross_entropy(model(rows).softmax(1), labels)
        #! detached_loss: loss = F.cross_entropy(model(rows), labels).detach().requires_grad_()
        loss.backward()
        #@ missing_zero_grad
        #@ no_step
        optimizer.step()
        #! no_step: pass
        total += loss.item()
    schedule.step()
    #! no_step: pass
    model.eval()
    #@ train_mode_never_restored
    #! missing_eval: pass
    right = 0
    with torch.no_grad():
        #! missing_no_grad: if True:
        for rows, labels in val_loader:
            answers = model(rows)
            #@ missing_eval
            #@ missing_no_grad
            right += int((answers.argmax(1) == labels).sum())
            #! metric_wrong_axis: right += int((answers.argmax(0)[:1] == labels).sum())
    print(f"epoch {epoch}: loss {total / len(train_loader):.4f} right {right / len(val_set):.4f}")
