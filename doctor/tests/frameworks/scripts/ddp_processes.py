"""DistributedDataParallel on one machine, gloo: two ranks, of torchrun, or of ``torch.multiprocessing.spawn``."""

import os
import socket

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import nn
from torch.nn import functional as F
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader, DistributedSampler, Subset, TensorDataset, random_split

rows, kinds, epochs = 487, 3, 10


def train(rank, world):
    torch.manual_seed(0)
    y = torch.arange(rows) * kinds // rows
    x = torch.randn(rows, 8) + 1.5 * torch.randn(kinds, 8)[y]
    targets = y
    #? label_misaligned: targets = y[torch.randperm(rows)]
    whole = TensorDataset(x, targets)
    train_set, val_set = random_split(whole, [343, 144])
    #! unshuffled_sorted: train_set, val_set = (Subset(whole, sorted(part.indices)) for part in random_split(whole, [343, 144]))
    sampler = DistributedSampler(train_set, world, rank)
    #! unshuffled_sorted: sampler = DistributedSampler(train_set, world, rank, shuffle=False)
    #! test_in_train: sampler = DistributedSampler(whole, world, rank)
    train_loader = DataLoader(train_set, batch_size=8, sampler=sampler, drop_last=True)
    #! test_in_train: train_loader = DataLoader(whole, batch_size=8, sampler=sampler, drop_last=True)
    val_loader = DataLoader(val_set, batch_size=48)
    net = nn.Sequential(
        nn.Linear(8, 32),
        nn.BatchNorm1d(32),
        nn.ReLU(),
        nn.Dropout(0.2),
        nn.Linear(32, kinds),
    )
    model = DistributedDataParallel(net)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    #! lr_too_low: optimizer = torch.optim.SGD(model.parameters(), lr=1e-6, momentum=0.9)
    #! lr_too_high: optimizer = torch.optim.SGD(model.parameters(), lr=200.0, momentum=0.9)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, step_size=4, gamma=0.5)
    for epoch in range(epochs):
        sampler.set_epoch(epoch)
        model.train()
        #! missing_eval: model.train()
        #! train_mode_never_restored: pass
        total = 0.0
        for inputs, labels in train_loader:
            #@ unshuffled_sorted
            optimizer.zero_grad()
            #! missing_zero_grad: pass
            loss = F.cross_entropy(model(inputs), labels)
            #! softmax_before_cross_entropy: loss = F.cross_entropy(model(inputs).softmax(1), labels)
            #! detached_loss: loss = F.cross_entropy(model(inputs), labels).detach().requires_grad_()
            loss.backward()
            #@ missing_zero_grad
            #@ no_step
            optimizer.step()
            #! no_step: pass
            total += loss.item()
        schedule.step()
        #! no_step: pass
        model.eval()
        #! missing_eval: pass
        #@ train_mode_never_restored
        right = 0
        with torch.no_grad():
            #! missing_no_grad: if True:
            for inputs, labels in val_loader:
                answers = model(inputs)
                #@ missing_eval
                #@ missing_no_grad
                right += int((answers.argmax(1) == labels).sum())
                #! metric_wrong_axis: right += int((answers.argmax(0)[:1] == labels).sum())
        dist.barrier()
        if rank == 0:
            print(
                f"epoch {epoch}: loss {total / len(train_loader):.4f} right {right / len(val_set):.4f}",
                flush=True,
            )


def work(rank, world, port):
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
    dist.init_process_group("gloo", rank=rank, world_size=world)
    train(rank, world)
    dist.destroy_process_group()


if __name__ == "__main__":
    if "RANK" in os.environ:
        dist.init_process_group("gloo")
        train(dist.get_rank(), dist.get_world_size())
        dist.destroy_process_group()
    else:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        mp.spawn(work, args=(2, port), nprocs=2)
