# expect: scheduler_misuse @ 19
# allowed: scheduler_misuse @ 27
"""A cosine schedule is made and forgotten."""

import torch
from sklearn.datasets import load_iris
from torch import nn

torch.manual_seed(0)
iris = load_iris()
x = torch.tensor((iris.data - iris.data.mean(0)) / iris.data.std(0), dtype=torch.float32)
y = torch.tensor(iris.target)


class Runner:
    def __init__(self, net, epochs):
        self.net, self.epochs = net, epochs
        self.optimizer = torch.optim.AdamW(net.parameters(), lr=0.03)
        self.scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(self.optimizer, T_max=epochs)
        self.criterion = nn.CrossEntropyLoss()

    def epoch(self):
        for idx in torch.randperm(len(x)).split(25):
            self.optimizer.zero_grad()
            loss = self.criterion(self.net(x[idx]), y[idx])
            loss.backward()
            self.optimizer.step()
        return loss.item()

    def run(self):
        for epoch in range(self.epochs):
            loss = self.epoch()
            lr = self.optimizer.param_groups[0]["lr"]
            print(f"epoch {epoch} lr {lr:.4f} loss {loss:.4f}")


Runner(nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 3)), epochs=8).run()
