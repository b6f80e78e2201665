# expect: nothing
# Short version of a torchvision-like reference script: every epoch visits a sampled part
import random
import time
from types import SimpleNamespace

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, RandomSampler, TensorDataset


def set_seed(seed):
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def load_data():
    digits = load_digits()
    x = (digits.images / 16.0).astype("float32")[:, None]
    y = digits.target.astype("int64")
    x_train, x_test, y_train, y_test = train_test_split(
        x, y, test_size=0.3, stratify=y, random_state=0)
    mean, std = x_train.mean(), x_train.std()
    to_ds = lambda a, b: TensorDataset(torch.from_numpy((a - mean) / std), torch.from_numpy(b))
    return to_ds(x_train, y_train), to_ds(x_test, y_test)


def build_model(num_classes=10):
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU(inplace=True),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1, bias=False), nn.BatchNorm2d(32), nn.ReLU(inplace=True),
        nn.AdaptiveAvgPool2d(2), nn.Flatten(),
        nn.Linear(128, num_classes),
    )


def train_one_epoch(model, criterion, optimizer, dataset, epoch, args):
    model.train()
    sampler = RandomSampler(dataset, num_samples=args.samples_per_epoch)
    loader = DataLoader(dataset, batch_size=args.batch_size, sampler=sampler)
    seen, loss_sum = 0, 0.0
    for image, target in loader:
        output = model(image)
        loss = criterion(output, target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        loss_sum += loss.item() * image.shape[0]
        seen += image.shape[0]
    return loss_sum / seen


def evaluate(model, criterion, loader):
    model.eval()
    correct, loss_sum, n = 0, 0.0, 0
    with torch.inference_mode():
        for image, target in loader:
            output = model(image)
            loss_sum += criterion(output, target).item() * len(target)
            correct += (output.argmax(1) == target).sum().item()
            n += len(target)
    return 100.0 * correct / n, loss_sum / n


def main(args):
    set_seed(args.seed)
    train_set, test_set = load_data()
    test_loader = DataLoader(test_set, batch_size=180)
    model = build_model()
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=args.lr, momentum=0.9, weight_decay=1e-4)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=10, gamma=0.3)
    start = time.time()
    for epoch in range(args.epochs):
        train_loss = train_one_epoch(model, criterion, optimizer, train_set, epoch, args)
        scheduler.step()
        if (epoch + 1) % 4 == 0:
            acc1, test_loss = evaluate(model, criterion, test_loader)
            print(f"Epoch [{epoch + 1}/{args.epochs}] train {train_loss:.4f} "
                  f"test {test_loss:.4f} Acc@1 {acc1:.2f}")
    print(f"Training time {time.time() - start:.1f}s")


if __name__ == "__main__":
    main(SimpleNamespace(seed=5, lr=0.05, batch_size=24, samples_per_epoch=96, epochs=24))
