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

class Extractor(nn.Module):
    """Keeps what a layer of another net gives."""

    def __init__(self, vit, layer):
        super().__init__()
        self.vit, self.latents = vit, None
        getattr(vit, layer).register_forward_hook(self._hook)

    def _hook(self, _, inputs, output):
        self.latents = output.clone()

    def forward(self, img):
        self.vit(img)
        return self.latents

class Vit(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed, self.body, self.head = nn.Linear(64, 48), nn.Sequential(nn.GELU(), nn.Linear(48, 32)), nn.Linear(32, 10)

    def forward(self, x):
        return self.head(self.body(self.embed(x)))

class Captioner(nn.Module):
    def __init__(self):
        super().__init__()
        self.image = Extractor(Vit(), "body")
        self.words, self.out = nn.Embedding(10, 32), nn.Linear(32, 32)

    def forward(self, img):
        return self.out(self.image(img)) @ self.words.weight.T

model = Captioner()
opt = torch.optim.Adam(model.parameters(), lr=2e-3)
for epoch in range(8):
    model.train()
    for x, y in DataLoader(train_set, 64, shuffle=True):
        opt.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        opt.step()
    print(epoch, loss.item())
model.eval()
with torch.no_grad():
    print((model(test_set.tensors[0]).argmax(1) == test_set.tensors[1]).float().mean().item())
