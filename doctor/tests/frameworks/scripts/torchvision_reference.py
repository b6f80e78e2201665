"""Training of a picture classifier in the shape of torchvision's references: one file of functions and a parser,
meters of smoothed values, label smoothing, no decay on norms, a linear warm-up, a running average of the weights.
"""

import argparse
from collections import defaultdict, deque

import torch
import torchvision
from torch import nn
from torchvision.transforms import v2


class Meter:
    """The newest values of a series, and the mean of all."""

    def __init__(self, window=20):
        self.newest, self.total, self.count = deque(maxlen=window), 0.0, 0

    def update(self, value, n=1):
        self.newest.append(value)
        self.total += value * n
        self.count += n

    @property
    def mean(self):
        return self.total / max(self.count, 1)


class MetricLogger:
    def __init__(self):
        self.meters = defaultdict(Meter)

    def update(self, **values):
        for name, value in values.items():
            self.meters[name].update(value.item() if isinstance(value, torch.Tensor) else value)

    def log_every(self, loader, every, header):
        for number, batch in enumerate(loader):
            yield batch
            if number % every == 0:
                print(header, number, {name: f"{meter.mean:.4f}" for name, meter in self.meters.items()})


class Pictures(torch.utils.data.Dataset):
    def __init__(self, pictures, labels, transform):
        self.pictures, self.labels, self.transform = pictures, labels, transform

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, i):
        return self.transform(self.pictures[i]), int(self.labels[i])


class Average(torch.optim.swa_utils.AveragedModel):
    def __init__(self, model, decay):
        super().__init__(model, avg_fn=lambda mean, new, n: decay * mean + (1 - decay) * new, use_buffers=True)


def accuracy(output, target, topk=(1,)):
    with torch.inference_mode():
        _, chosen = output.topk(max(topk), 1)
        right = chosen.t().eq(target[None])
        return [right[:k].flatten().sum(dtype=torch.float32) * (100.0 / len(target)) for k in topk]


def set_weight_decay(model, decay):
    with_decay = [p for p in model.parameters() if p.dim() > 1]
    without = [p for p in model.parameters() if p.dim() <= 1]
    return [{"params": with_decay, "weight_decay": decay}, {"params": without, "weight_decay": 0.0}]


def train_one_epoch(model, criterion, optimizer, loader, epoch, args, average, warmup, scaler):
    model.train()
    logger = MetricLogger()
    for image, target in logger.log_every(loader, 10, f"Epoch [{epoch}]"):
        #@ unshuffled_sorted
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=scaler is not None):
            output = model(image)
            loss = criterion(output, target)
            #! softmax_before_cross_entropy: loss = criterion(output.softmax(1), target)
            #! detached_loss: loss = criterion(output.detach(), target).requires_grad_()
        optimizer.zero_grad()
        #! missing_zero_grad: pass
        if scaler is not None:
            scaler.scale(loss).backward()
            scaler.step(optimizer)
            scaler.update()
        else:
            loss.backward()
            #@ missing_zero_grad
            #@ no_step
            #@ grad_cleared_before_step
            #! grad_cleared_before_step: loss.backward(); optimizer.zero_grad()
            if args.clip_grad_norm is not None:
                nn.utils.clip_grad_norm_(model.parameters(), args.clip_grad_norm)
            optimizer.step()
            #! no_step: pass
        average.update_parameters(model)
        logger.update(loss=loss, lr=optimizer.param_groups[0]["lr"], acc1=accuracy(output, target)[0])


def evaluate(model, criterion, loader, suffix=""):
    model.eval()
    #! missing_eval: pass
    logger = MetricLogger()
    with torch.inference_mode():
        #! missing_no_grad: if True:
        for image, target in logger.log_every(loader, 100, f"Test{suffix}:"):
            output = model(image)
            #@ missing_eval
            #@ missing_no_grad
            loss = criterion(output, target)
            (first,) = accuracy(output, target)
            #! metric_wrong_axis: first = (output.argmax(0)[:1] == target).float().mean() * 100
            logger.meters["loss"].update(loss.item(), len(image))
            logger.meters["acc1"].update(first.item(), len(image))
    print(f"Test{suffix}: acc1 {logger.meters['acc1'].mean:.2f} loss {logger.meters['loss'].mean:.4f}")
    return logger.meters["acc1"].mean


def load_data(args):
    rows, kinds, size = 336, 3, 16
    labels = torch.arange(rows) * kinds // rows
    colours = torch.tensor([[150, 90, 90], [90, 150, 90], [90, 90, 150]])
    noise = torch.randint(-80, 81, (rows, 3, size, size))
    pictures = (colours[labels][:, :, None, None] + noise).clamp(0, 255).to(torch.uint8)
    labels = labels.clone()
    #? label_misaligned: labels = labels[torch.randperm(rows)]
    order = torch.randperm(rows)
    train, test = order[:256], order[256:]
    #! unshuffled_sorted: train, test = order[:256].sort().values, order[256:]
    plain = v2.Compose([v2.ToDtype(torch.float32, scale=True), v2.Normalize([0.4] * 3, [0.2] * 3)])
    moved = v2.Compose([v2.RandomHorizontalFlip(), v2.RandomCrop(size, padding=2), plain])
    train_set = Pictures(pictures[train], labels[train], moved)
    test_set = Pictures(pictures[test], labels[test], plain)
    sampler = torch.utils.data.RandomSampler(train_set)
    #! unshuffled_sorted: sampler = torch.utils.data.SequentialSampler(train_set)
    return (
        torch.utils.data.DataLoader(train_set, args.batch_size, sampler=sampler, drop_last=True),
        #! batchnorm_batch_of_one: torch.utils.data.DataLoader(train_set, 17, sampler=sampler),
        torch.utils.data.DataLoader(test_set, 40, sampler=torch.utils.data.SequentialSampler(test_set)),
    )


def main(args):
    torch.manual_seed(args.seed)
    loader, test_loader = load_data(args)
    model = nn.Sequential(
        torchvision.ops.Conv2dNormActivation(3, 8, stride=2),
        torchvision.ops.Conv2dNormActivation(8, 16, stride=2),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(16, 3),
    )
    criterion = nn.CrossEntropyLoss(label_smoothing=args.label_smoothing)
    parameters = set_weight_decay(model, args.weight_decay)
    #! params_not_in_optimizer: parameters = set_weight_decay(model, args.weight_decay)[1:]
    optimizer = torch.optim.SGD(parameters, lr=args.lr, momentum=args.momentum)
    #@ params_not_in_optimizer
    scaler = torch.amp.GradScaler("cpu") if args.amp else None
    warm = torch.optim.lr_scheduler.LinearLR(optimizer, start_factor=0.1, total_iters=args.lr_warmup_epochs)
    main_schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=args.epochs - args.lr_warmup_epochs)
    schedule = torch.optim.lr_scheduler.SequentialLR(
        optimizer, [warm, main_schedule], milestones=[args.lr_warmup_epochs]
    )
    average = Average(model, decay=0.9)
    for epoch in range(args.epochs):
        train_one_epoch(model, criterion, optimizer, loader, epoch, args, average, schedule, scaler)
        schedule.step()
        #! no_step: pass
        evaluate(model, criterion, test_loader)
        evaluate(average, criterion, test_loader, suffix=" EMA")


def get_args_parser():
    parser = argparse.ArgumentParser()
    parser.add_argument("--batch-size", default=16, type=int)
    parser.add_argument("--epochs", default=6, type=int)
    parser.add_argument("--lr", default=0.05, type=float)
    #! lr_too_low: parser.add_argument("--lr", default=1e-8, type=float)
    #! lr_too_high: parser.add_argument("--lr", default=300.0, type=float)
    parser.add_argument("--momentum", default=0.9, type=float)
    parser.add_argument("--weight-decay", default=1e-4, type=float)
    parser.add_argument("--label-smoothing", default=0.1, type=float)
    parser.add_argument("--lr-warmup-epochs", default=1, type=int)
    parser.add_argument("--clip-grad-norm", default=None, type=float)
    parser.add_argument("--amp", action="store_true")
    parser.add_argument("--seed", default=0, type=int)
    return parser


if __name__ == "__main__":
    main(get_args_parser().parse_args())
