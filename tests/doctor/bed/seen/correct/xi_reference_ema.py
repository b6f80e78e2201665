# expect: nothing
"""Small reference training run with EMA of the weights, warm-up and label smoothing."""
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader, TensorDataset
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

torch.manual_seed(0)
d = load_digits()
x_tr, x_te, y_tr, y_te = train_test_split(d.images / 16.0, d.target, test_size=0.25,
                                          stratify=d.target, random_state=0)
to_img = lambda a: torch.tensor(a).float().unsqueeze(1)
train_loader = DataLoader(TensorDataset(to_img(x_tr), torch.tensor(y_tr)), 64, shuffle=True)
test_loader = DataLoader(TensorDataset(to_img(x_te), torch.tensor(y_te)), 256)


def random_shift(x):
    dy, dx = torch.randint(0, 3, (2,)).tolist()
    return nn.functional.pad(x, (1, 1, 1, 1))[:, :, dy:dy + 8, dx:dx + 8]


def train_one_epoch(model, ema, criterion, optimizer, scheduler):
    model.train()
    total = 0.0
    for image, target in train_loader:
        loss = criterion(model(random_shift(image)), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        ema.update_parameters(model)
        total += loss.item()
    return total / len(train_loader)


def evaluate(model):
    model.eval()
    correct = 0
    with torch.inference_mode():
        for image, target in test_loader:
            correct += (model(image).argmax(1) == target).sum().item()
    return correct / len(test_loader.dataset)


model = nn.Sequential(nn.Conv2d(1, 12, 3, padding=1, bias=False), nn.BatchNorm2d(12), nn.ReLU(),
                      nn.MaxPool2d(2), nn.Flatten(), nn.Linear(192, 10))
ema = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.9), use_buffers=True)
criterion = nn.CrossEntropyLoss(label_smoothing=0.1)
epochs = 8
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-4)
scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.1,
                                                total_steps=epochs * len(train_loader))
for epoch in range(epochs):
    print(f"epoch {epoch + 1} loss {train_one_epoch(model, ema, criterion, optimizer, scheduler):.4f}")
print(f"model acc {evaluate(model):.3f}  ema acc {evaluate(ema):.3f}")
