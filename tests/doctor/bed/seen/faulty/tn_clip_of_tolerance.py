# expect: clip_too_small @ 21
import torch
from torch import nn

CONFIG = {"optim": {"lr": 0.05, "momentum": 0.9}, "clip_norm": 1.0, "tolerance": 1e-5, "patience": 5,

          "steps": 200}
torch.manual_seed(0)
x = torch.randn(400, 6)
y = (x[:, 0] + x[:, 1] > 0).long()


class Trainer:
    def __init__(self, net, settings):
        self.net = net
        self.settings = settings
        self.optimizer = torch.optim.SGD(net.parameters(), **settings["optim"])

        self.patience = settings["patience"]

        self.clip_norm = float(settings.get("tolerance", 1.0))

        self.steps = settings["steps"]

    def run(self):
        for _ in range(self.steps):
            rows = torch.randint(0, 400, (32,))
            self.optimizer.zero_grad()
            loss = nn.functional.cross_entropy(self.net(x[rows]), y[rows])
            loss.backward()

            nn.utils.clip_grad_norm_(self.net.parameters(), max_norm=self.clip_norm)

            self.optimizer.step()
        print(loss.item())


net = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 2))
Trainer(net, CONFIG).run()
