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

class Ethos(nn.Module):
    def __init__(self, vocab, d=32):
        super().__init__()
        self.tok, self.drop = nn.Embedding(vocab, d), nn.Dropout(0.3)
        self.rnn, self.head = nn.GRU(d, d, batch_first=True), nn.Linear(d, vocab)

    def forward(self, ids, hidden=None):
        h, hidden = self.rnn(self.drop(self.tok(ids)), hidden)
        return self.head(self.drop(h)), hidden

class Runner:
    def __init__(self, model, data):
        self.model, self.data = model, data

    @torch.inference_mode()
    def estimate_loss(self, batches=8):
        self.model.eval()
        total = 0.0
        for _ in range(batches):
            x, y = self.data("val")
            total += F.cross_entropy(self.model(x)[0].flatten(0, 1), y.flatten()).item()
        self.model.train()
        return total / batches

    def train(self, steps):
        opt = torch.optim.AdamW(self.model.parameters(), lr=3e-3)
        for step in range(steps):
            x, y = self.data("train")
            loss = F.cross_entropy(self.model(x)[0].flatten(0, 1), y.flatten())
            opt.zero_grad()
            loss.backward()
            opt.step()
            if step % 25 == 24:
                print(step, loss.item(), self.estimate_loss())

gen = torch.Generator().manual_seed(0)
chain = torch.softmax(2 * torch.randn(20, 20, generator=gen), 1)
walk = [0]
for _ in range(4000):
    walk.append(torch.multinomial(chain[walk[-1]], 1, generator=gen).item())
walk = torch.tensor(walk)

def batches(split):
    part = walk[:3400] if split == "train" else walk[3400:]
    at = torch.randint(len(part) - 13, (32,))
    return torch.stack([part[i : i + 12] for i in at]), torch.stack([part[i + 1 : i + 13] for i in at])

Runner(Ethos(20), batches).train(100)
