# expect: missing_no_grad @ 39
# needs: accelerate
# needs: transformers
# mend: 39 →         with torch.no_grad():
# mend: 39 +             out = model(xb)
"""A loop with accelerate: gradients summed over two batches, a schedule with warm-up."""

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from accelerate import Accelerator
from transformers import get_linear_schedule_with_warmup

torch.manual_seed(0)
acc = Accelerator(cpu=True, gradient_accumulation_steps=2)
x = torch.randn(1200, 20)
y = (x[:, :4].sum(1) > 0).long() + (x[:, 4] > 1).long()
tr, va = TensorDataset(x[:900], y[:900]), TensorDataset(x[900:], y[900:])
model = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Dropout(0.1), nn.Linear(64, 3))
opt = torch.optim.AdamW(model.parameters(), lr=3e-3)
dl, vl = DataLoader(tr, 32, shuffle=True), DataLoader(va, 64)
sch = get_linear_schedule_with_warmup(opt, 10, 8 * len(dl) // 2)
model, opt, dl, vl, sch = acc.prepare(model, opt, dl, vl, sch)
crit = nn.CrossEntropyLoss()
for epoch in range(8):
    model.train()
    for xb, yb in dl:
        with acc.accumulate(model):
            loss = crit(model(xb), yb)
            acc.backward(loss)
            if acc.sync_gradients:
                acc.clip_grad_norm_(model.parameters(), 1.0)
            opt.step()
            sch.step()
            opt.zero_grad()
    model.eval()
    hits = 0
    for xb, yb in vl:
        out = model(xb)
        p, r = acc.gather_for_metrics((out.argmax(-1), yb))
        hits += (p == r).sum().item()
    acc.print(epoch, hits / len(va))
