"""Mixed precision on the CPU: autocast to half precision, a GradScaler, clipping, and a warm-up by batch."""

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Subset, TensorDataset, random_split

torch.manual_seed(0)
rows, kinds, epochs = 487, 3, 10
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
net = nn.Sequential(
    nn.Linear(8, 32),
    nn.BatchNorm1d(32),
    nn.ReLU(),
    nn.Dropout(0.2),
    nn.Linear(32, kinds),
)
optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
#! lr_too_low: optimizer = torch.optim.SGD(net.parameters(), lr=1e-6, momentum=0.9)
#! lr_too_high: optimizer = torch.optim.SGD(net.parameters(), lr=30.0, momentum=0.9)
schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.1, total_steps=epochs * len(train_loader))
#! lr_too_low: schedule = torch.optim.lr_scheduler.StepLR(optimizer, step_size=1000)
#! lr_too_high: schedule = torch.optim.lr_scheduler.StepLR(optimizer, step_size=1000)
scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
half = torch.float16
#! right__bfloat16: half = torch.bfloat16
for epoch in range(epochs):
    net.train()
    #! train_mode_never_restored: pass
    #! missing_eval: net.train()
    total = 0.0
    for rows, labels in train_loader:
        #@ unshuffled_sorted
        optimizer.zero_grad(set_to_none=True)
        #! missing_zero_grad: pass
        with torch.autocast("cpu", dtype=half):
            answers = net(rows)
            loss = F.cross_entropy(answers, labels)
            #! softmax_before_cross_entropy: loss = F.cross_entropy(answers.softmax(1), labels)
        scaler.scale(loss).backward()
        #@ missing_zero_grad
        scaler.unscale_(optimizer)
        #! clip_too_small: pass
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        #@ clip_too_small
        #! clip_too_small: nn.utils.clip_grad_norm_(net.parameters(), 1e-3)
        scaler.step(optimizer)
        scaler.update()
        schedule.step()
        total += loss.item()
    net.eval()
    #@ train_mode_never_restored
    #! missing_eval: pass
    right = 0
    with torch.no_grad(), torch.autocast("cpu", dtype=half):
        #! missing_no_grad: with torch.autocast("cpu", dtype=half):
        for rows, labels in val_loader:
            answers = net(rows)
            #@ missing_eval
            #@ missing_no_grad
            right += int((answers.argmax(1) == labels).sum())
            #! metric_wrong_axis: right += int((answers.argmax(0)[:1] == labels).sum())
    print(f"epoch {epoch}: loss {total / len(train_loader):.4f} right {right / len(val_set):.4f}")
