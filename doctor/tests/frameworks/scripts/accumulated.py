"""Gradient accumulation by hand: four batches to a step, the loss divided, the rest of an epoch stepped too."""

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Subset, TensorDataset, random_split

torch.manual_seed(0)
rows, kinds, epochs, batches = 487, 3, 16, 4
y = torch.arange(rows) * kinds // rows
x = torch.randn(rows, 8) + 1.5 * torch.randn(kinds, 8)[y]
targets = y
#? label_misaligned: targets = y[torch.randperm(rows)]
whole = TensorDataset(x, targets)
train_set, val_set = random_split(whole, [343, 144])
#? unshuffled_sorted: train_set, val_set = (Subset(whole, sorted(part.indices)) for part in random_split(whole, [343, 144]))
train_loader = DataLoader(train_set, batch_size=16, shuffle=True, drop_last=True)
#! test_in_train: train_loader = DataLoader(whole, batch_size=16, shuffle=True, drop_last=True)
#? unshuffled_sorted: train_loader = DataLoader(train_set, batch_size=16, drop_last=True)
val_loader = DataLoader(val_set, batch_size=48)
net = nn.Sequential(
    nn.Linear(8, 32),
    nn.BatchNorm1d(32),
    nn.ReLU(),
    nn.Dropout(0.2),
    nn.Linear(32, kinds),
)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
#! lr_too_low: optimizer = torch.optim.SGD(net.parameters(), lr=1e-7, momentum=0.9)
#! lr_too_high: optimizer = torch.optim.SGD(net.parameters(), lr=300.0, momentum=0.9)
schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=epochs)
for epoch in range(epochs):
    net.train()
    #! train_mode_never_restored: pass
    #! missing_eval: net.train()
    total = 0.0
    for number, (rows, labels) in enumerate(train_loader, 1):
        #@ unshuffled_sorted
        loss = F.cross_entropy(net(rows), labels)
        #! softmax_before_cross_entropy: loss = F.cross_entropy(net(rows).softmax(1), labels)
        #! detached_loss: loss = F.cross_entropy(net(rows), labels).detach().requires_grad_()
        (loss / batches).backward()
        #@ missing_zero_grad
        #@ no_step
        #@ detached_loss
        #! grad_cleared_before_step: optimizer.zero_grad(); (loss / batches).backward()
        if number % batches == 0 or number == len(train_loader):
            optimizer.step()
            #! no_step: pass
            optimizer.zero_grad()
            #! missing_zero_grad: pass
            #! grad_cleared_before_step: pass
        total += loss.item()
    schedule.step()
    #! no_step: pass
    net.eval()
    #@ train_mode_never_restored
    #! missing_eval: pass
    right = 0
    with torch.no_grad():
        #! missing_no_grad: if True:
        for rows, labels in val_loader:
            answers = net(rows)
            #@ missing_eval
            #@ missing_no_grad
            right += int((answers.argmax(1) == labels).sum())
            #! metric_wrong_axis: right += int((answers.argmax(0)[:1] == labels).sum())
    print(f"epoch {epoch}: loss {total / len(train_loader):.4f} right {right / len(val_set):.4f}")
