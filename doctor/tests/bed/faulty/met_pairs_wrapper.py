# expect: metric_wrong_axis @ 33
# mend: 33 →     acc_i = (torch.argmax(image_logits, 1) == ground_truth).sum()
# mend: 34 →     acc_t = (torch.argmax(image_logits.t(), 1) == ground_truth).sum()
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

class Clip(nn.Module):
    def __init__(self, width=32):
        super().__init__()
        self.image, self.text = nn.Sequential(nn.Linear(32, 64), nn.ReLU(), nn.Linear(64, width)), nn.Sequential(nn.Linear(32, 64), nn.ReLU(), nn.Linear(64, width))
        self.logit_scale = nn.Parameter(torch.tensor(2.0))

    def forward(self, a, b):
        a, b = F.normalize(self.image(a), dim=1), F.normalize(self.text(b), dim=1)
        return self.logit_scale.exp() * a @ b.t()

def step(model, x):
    image_logits = model(x[:, :32], x[:, 32:])
    ground_truth = torch.arange(len(x))
    loss = (F.cross_entropy(image_logits, ground_truth) + F.cross_entropy(image_logits.t(), ground_truth)) / 2
    acc_i = (torch.argmax(image_logits) == ground_truth).sum()
    acc_t = (torch.argmax(image_logits.t()) == ground_truth).sum()
    return loss, (acc_i + acc_t) / 2 / len(x)

model = Clip()
opt = torch.optim.AdamW(model.parameters(), lr=2e-3)
for epoch in range(6):
    model.train()
    for x, _ in DataLoader(train_set, 64, shuffle=True):
        loss, acc = step(model, x)
        opt.zero_grad()
        loss.backward()
        opt.step()
    model.eval()
    with torch.no_grad():
        loss, acc = step(model, val_set.tensors[0][:64])
    print(epoch, loss.item(), acc.item())
