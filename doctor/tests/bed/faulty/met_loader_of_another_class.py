# expect: no_step @ 32
# mend: 31 +         self.encoder_optimizer.step()
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

def make(kind, params):
    return {"adam": lambda: torch.optim.Adam(params, lr=2e-3), "sgd": lambda: torch.optim.SGD(params, lr=0.1)}[kind]()

class Pipeline:
    def __init__(self):
        self.encoder, self.decoder = nn.Sequential(nn.Linear(64, 32), nn.ReLU()), nn.Linear(32, 10)
        self.encoder_optimizer = make("adam", self.encoder.parameters())
        self.decoder_optimizer = make("adam", self.decoder.parameters())

    def train_step(self, x, y):
        self.encoder_optimizer.zero_grad()
        self.decoder_optimizer.zero_grad()
        loss = F.cross_entropy(self.decoder(self.encoder(x)), y)
        loss.backward()
        self.decoder_optimizer.step()
        return loss.item()

pipe = Pipeline()
for epoch in range(6):
    for x, y in DataLoader(train_set, 64, shuffle=True):
        loss = pipe.train_step(x, y)
    print(epoch, loss)
with torch.no_grad():
    print((pipe.decoder(pipe.encoder(test_set.tensors[0])).argmax(1) == test_set.tensors[1]).float().mean().item())
