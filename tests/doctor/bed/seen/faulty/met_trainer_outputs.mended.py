# expect: nothing
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

class Trainer:
    def __init__(self, problem, optimizer):
        self.problem, self.optimizer = problem, optimizer

    def train(self, loader, epochs):
        for epoch in range(epochs):
            losses = []
            for x, y in loader:
                output = {"y": self.problem(x)}
                output["train_loss"] = F.cross_entropy(output["y"], y)
                self.optimizer.zero_grad()
                output["train_loss"].backward()
                self.optimizer.step()
                losses.append(output["train_loss"].detach())
            output["mean_train_loss"] = torch.mean(torch.stack(losses))
            print(epoch, f"{output['mean_train_loss']:.4f}")

problem = nn.Sequential(nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 10))
Trainer(problem, torch.optim.AdamW(problem.parameters(), lr=2e-3)).train(DataLoader(train_set, 32, shuffle=True), 5)
