# expect: softmax_before_cross_entropy @ 39
# allowed: softmax_before_cross_entropy @ 69
"""A tiny Vision Transformer on the 8x8 digits: 2x2 patches, a class token, a cosine schedule with warmup."""
import math

import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset

HP = dict(dim=32, depth=1, heads=4, mlp=64, epochs=8, batch=32, lr=5e-3, warmup=30, seed=18)


class PatchEmbed(nn.Module):
    def __init__(self, dim, patch=2, grid=4):
        super().__init__()
        self.proj = nn.Conv2d(1, dim, kernel_size=patch, stride=patch)
        self.cls = nn.Parameter(torch.zeros(1, 1, dim))
        self.pos = nn.Parameter(torch.empty(1, grid * grid + 1, dim))
        nn.init.trunc_normal_(self.pos, std=0.02)

    def forward(self, images):
        tokens = self.proj(images).flatten(2).transpose(1, 2)
        return torch.cat([self.cls.expand(len(images), -1, -1), tokens], dim=1) + self.pos


class ViT(nn.Module):
    def __init__(self, dim, depth, heads, mlp, classes=10):
        super().__init__()
        self.embed = PatchEmbed(dim)
        layer = nn.TransformerEncoderLayer(dim, heads, mlp, dropout=0.0, activation="gelu", batch_first=True, norm_first=True)
        self.encoder = nn.TransformerEncoder(layer, depth, enable_nested_tensor=False)
        self.norm = nn.LayerNorm(dim)
        self.head = nn.Linear(dim, classes)

    def forward(self, images):
        z = self.norm(self.encoder(self.embed(images)))
        return self.head(z[:, 0]).softmax(dim=-1)


def loaders(batch, seed):
    digits = load_digits()
    images = torch.tensor(digits.images / 8.0 - 1.0, dtype=torch.float32).unsqueeze(1)
    labels = torch.tensor(digits.target)
    train, test = train_test_split(range(len(labels)), test_size=0.25, stratify=digits.target, random_state=seed)
    return (DataLoader(TensorDataset(images[train], labels[train]), batch, shuffle=True),
            DataLoader(TensorDataset(images[test], labels[test]), 256))


def main(hp):
    torch.manual_seed(hp["seed"])
    train_loader, test_loader = loaders(hp["batch"], hp["seed"])
    model = ViT(hp["dim"], hp["depth"], hp["heads"], hp["mlp"])
    optimizer = torch.optim.AdamW(model.parameters(), lr=hp["lr"], weight_decay=0.05)
    total = hp["epochs"] * len(train_loader)

    def factor(step):
        if step < hp["warmup"]:
            return (step + 1) / hp["warmup"]
        return 0.5 * (1 + math.cos(math.pi * (step - hp["warmup"]) / (total - hp["warmup"])))

    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
    criterion = nn.CrossEntropyLoss(label_smoothing=0.05)
    for epoch in range(hp["epochs"]):
        model.train()
        running = 0.0
        for images, labels in train_loader:
            loss = criterion(model(images), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            scheduler.step()
            running += loss.item() * len(labels)
        if epoch % 2 == 1:
            print(f"epoch {epoch + 1}: loss {running / len(train_loader.dataset):.4f}")

    model.eval()
    right = 0
    with torch.no_grad():
        for images, labels in test_loader:
            right += (model(images).argmax(dim=-1) == labels).sum().item()
    print(f"test accuracy {right / len(test_loader.dataset):.3f}")


if __name__ == "__main__":
    main(HP)
