"""A loop of one's own with Accelerate: prepared parts, accumulation, clipping, a warm-up, gathered figures."""

import torch
from accelerate import Accelerator
from accelerate.utils import set_seed
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Subset, TensorDataset, random_split

set_seed(0)
rows, kinds = 487, 3
y = torch.arange(rows) * kinds // rows
x = torch.randn(rows, 8) + 1.5 * torch.randn(kinds, 8)[y]
targets = y
#? label_misaligned: targets = y[torch.randperm(rows)]
whole = TensorDataset(x, targets)
train_set, val_set = random_split(whole, [343, 144])
#! unshuffled_sorted: train_set, val_set = (Subset(whole, sorted(part.indices)) for part in random_split(whole, [343, 144]))
train_loader = DataLoader(train_set, batch_size=16, shuffle=True, drop_last=True)
#! unshuffled_sorted: train_loader = DataLoader(train_set, batch_size=16, drop_last=True)
#! test_in_train: train_loader = DataLoader(whole, batch_size=16, shuffle=True, drop_last=True)
#! batchnorm_batch_of_one: train_loader = DataLoader(train_set, batch_size=18, shuffle=True)
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


epochs, warm = 10, 20
accelerator = Accelerator(cpu=True, gradient_accumulation_steps=2)
net = Tagger()
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
#! lr_too_low: optimizer = torch.optim.Adam(net.parameters(), lr=1e-7)
#! lr_too_high: optimizer = torch.optim.Adam(net.parameters(), lr=30.0)
schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(1.0, (step + 1) / warm))
net, optimizer, train_loader, val_loader, schedule = accelerator.prepare(
    net, optimizer, train_loader, val_loader, schedule
)
for epoch in range(epochs):
    net.train()
    #! train_mode_never_restored: pass
    #! missing_eval: net.train()
    total = 0.0
    for rows, labels in train_loader:
        #@ unshuffled_sorted
        with accelerator.accumulate(net):
            answers = net(rows)
            loss = F.cross_entropy(answers, labels)
            #! softmax_before_cross_entropy: loss = F.cross_entropy(answers.softmax(1), labels)
            #! detached_loss: loss = F.cross_entropy(answers, labels).detach().requires_grad_()
            accelerator.backward(loss)
            #@ missing_zero_grad
            #@ no_step
            if accelerator.sync_gradients:
                accelerator.clip_grad_norm_(net.parameters(), 5.0)
            optimizer.step()
            #! no_step: pass
            schedule.step()
            #! no_step: pass
            optimizer.zero_grad()
            #! missing_zero_grad: pass
            #! no_step: pass
        total += loss.item()
    net.eval()
    #@ train_mode_never_restored
    #! missing_eval: pass
    right, seen = 0, 0
    with torch.no_grad():
        #! missing_no_grad: if True:
        for rows, labels in val_loader:
            answers = net(rows)
            #@ missing_eval
            #@ missing_no_grad
            chosen, labels = accelerator.gather_for_metrics((answers.argmax(-1), labels))
            #! metric_wrong_axis: chosen, labels = accelerator.gather_for_metrics((answers.argmax(0), labels[:3]))
            right += int((chosen == labels).sum())
            seen += len(labels)
    accelerator.print(f"epoch {epoch}: loss {total / len(train_loader):.4f} right {right / seen:.4f}")
