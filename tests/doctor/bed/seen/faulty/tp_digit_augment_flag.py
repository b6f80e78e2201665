# expect: augment_on_test @ 25
# allowed: augment_on_test @ 32
"""Digits with random shifts, noise and erased patches: Dataset with a split argument, EMA of the weights."""
import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader, Dataset


class Digits(Dataset):
    SPLITS = ("train", "valid", "test")

    def __init__(self, split, seed=9):
        assert split in self.SPLITS
        digits = load_digits()
        rows = np.arange(len(digits.target))
        rest, test = train_test_split(rows, test_size=0.25, random_state=seed, stratify=digits.target)
        train, valid = train_test_split(rest, test_size=0.15, random_state=seed, stratify=digits.target[rest])
        keep = {"train": train, "valid": valid, "test": test}[split]
        self.images = torch.tensor(digits.images[keep] / 16.0, dtype=torch.float32).unsqueeze(1)
        self.labels = torch.tensor(digits.target[keep])
        self.augment = split != "valid"

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, i):
        img = self.images[i]
        if self.augment:
            dy, dx = torch.randint(-1, 2, (2,)).tolist()
            img = torch.roll(img, (dy, dx), dims=(1, 2))
            img = img + 0.1 * torch.randn_like(img)
            r, c = torch.randint(0, 6, (2,)).tolist()
            img[:, r : r + 3, c : c + 3] = 0.0
        return img, self.labels[i]


def network():
    return nn.Sequential(
        nn.Conv2d(1, 24, 3, padding=1), nn.GroupNorm(4, 24), nn.SiLU(), nn.MaxPool2d(2),
        nn.Conv2d(24, 48, 3, padding=1), nn.GroupNorm(4, 48), nn.SiLU(), nn.Flatten(),
        nn.Linear(48 * 16, 10),
    )


@torch.inference_mode()
def score(model, loader):
    model.eval()
    return sum((model(x).argmax(1) == y).sum().item() for x, y in loader) / len(loader.dataset)


def main():
    torch.manual_seed(9)
    data = {s: Digits(s) for s in Digits.SPLITS}
    loaders = {s: DataLoader(d, batch_size=48, shuffle=s == "train") for s, d in data.items()}
    model = network()
    ema = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.95))
    opt = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for epoch in range(6):
        model.train()
        for x, y in loaders["train"]:
            loss = nn.functional.cross_entropy(model(x), y)
            opt.zero_grad()
            loss.backward()
            opt.step()
            ema.update_parameters(model)
        print(f"epoch {epoch + 1}  valid {score(ema, loaders['valid']):.3f}")
    print(f"test {score(ema, loaders['test']):.3f}")


if __name__ == "__main__":
    main()
