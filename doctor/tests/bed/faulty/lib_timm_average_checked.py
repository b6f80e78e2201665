# expect: missing_eval @ 47
# needs: timm
# needs: torchvision
# mend: 43 +         net.eval()
"""Digits with a small net of timm, mixup, an average of its weights and a schedule."""

import torch, timm
from sklearn.datasets import load_digits
from timm.data import Mixup
from timm.loss import SoftTargetCrossEntropy
from timm.optim import create_optimizer_v2
from timm.scheduler import CosineLRScheduler
from timm.utils import ModelEmaV3, AverageMeter, accuracy
from torch.utils.data import DataLoader, TensorDataset, random_split

torch.manual_seed(0)
X, y = load_digits(return_X_y=True)
x = torch.nn.functional.interpolate(torch.tensor(X, dtype=torch.float32).view(-1, 1, 8, 8) / 16, size=32)
ds = TensorDataset((x - 0.3) / 0.37, torch.tensor(y))
tr, va = random_split(ds, [1200, 597])
dl, vl = DataLoader(tr, 64, shuffle=True, drop_last=True), DataLoader(va, 200)
model = timm.create_model("resnet10t", in_chans=1, num_classes=10, pretrained=False)
opt = create_optimizer_v2(model, "adamw", lr=1e-3, weight_decay=0.02)
ema = ModelEmaV3(model, decay=0.9)
mix = Mixup(mixup_alpha=0.2, num_classes=10, label_smoothing=0.1)
crit, vcrit = SoftTargetCrossEntropy(), torch.nn.CrossEntropyLoss()
sch = CosineLRScheduler(opt, t_initial=3 * len(dl), warmup_t=5, warmup_lr_init=1e-5, t_in_epochs=False)
n = 0
for epoch in range(3):
    model.train()
    am = AverageMeter()
    for xb, yb in dl:
        xm, ym = mix(xb, yb)
        loss = crit(model(xm), ym)
        opt.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        opt.step()
        ema.update(model)
        n += 1
        sch.step_update(n)
        am.update(loss.item(), len(xb))
    for name, net in (("model", model), ("ema", ema.module)):
        vm = AverageMeter()
        with torch.no_grad():
            for xb, yb in vl:
                out = net(xb)
                vm.update(accuracy(out, yb)[0].item(), len(xb))
        print(epoch, am.avg, name, vm.avg)
