# expect: selection_on_test @ 31
import math
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
data = load_digits()
x_train, x_test, y_train, y_test = train_test_split(data.data / 16.0, data.target, test_size=0.3, random_state=0)
x_train, x_val, y_train, y_val = train_test_split(x_train, y_train, test_size=0.2, random_state=0)
to = lambda x, y: TensorDataset(torch.tensor(x, dtype=torch.float32), torch.tensor(y))
train_set, val_set, test_set = to(x_train, y_train), to(x_val, y_val), to(x_test, y_test)

class Agent:
    def __init__(self):
        self.net = nn.Sequential(nn.Linear(64, 48), nn.ReLU(), nn.Dropout(0.3), nn.Linear(48, 10))
        self.opt = torch.optim.Adam(self.net.parameters(), lr=2e-3)
        self.best_score, self.saved = -1.0, None

    def score(self, part):
        self.net.eval()
        with torch.no_grad():
            x, y = part.tensors
            return (self.net(x).argmax(1) == y).float().mean().item()

    def evaluate(self):
        valid, test = self.score(val_set), self.score(test_set)
        if test > self.best_score:
            self.best_score = test
            self.saved = {k: v.clone() for k, v in self.net.state_dict().items()}
        print(f"valid {valid:.3f} test {test:.3f}" if True else f"valid {valid:.3f}")

    def run(self, epochs):
        for epoch in range(epochs):
            self.net.train()
            for x, y in DataLoader(train_set, 48, shuffle=True):
                self.opt.zero_grad()
                F.cross_entropy(self.net(x), y).backward()
                self.opt.step()
            self.evaluate()

agent = Agent()
agent.run(10)
agent.net.load_state_dict(agent.saved)
print("final test", agent.score(test_set))
