# expect: nothing
"""CLIP in small: digit pictures and their spelled-out captions, symmetric InfoNCE with a learned temperature."""
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, Dataset

NAMES = "zero one two three four five six seven eight nine".split()
FRAMES = ["a {}", "the digit {}", "a drawing of {}", "{} in grey", "somebody wrote {}"]
CHARS = {c: i + 1 for i, c in enumerate("abcdefghijklmnopqrstuvwxyz ")}
MAX_LEN = 24


def tokenize(text):
    ids = [CHARS[c] for c in text][:MAX_LEN]
    return torch.tensor(ids + [0] * (MAX_LEN - len(ids)))


class Captioned(Dataset):
    def __init__(self, images, labels, seed):
        self.images, self.labels = torch.from_numpy(images), labels
        self.rng = np.random.default_rng(seed)

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, i):
        frame = FRAMES[int(self.rng.integers(len(FRAMES)))]
        return self.images[i], tokenize(frame.format(NAMES[self.labels[i]])), int(self.labels[i])


class OneOfEach:
    """Batches that hold every digit once, so that no caption fits two pictures."""

    def __init__(self, labels, seed):
        self.groups = [np.flatnonzero(labels == c) for c in range(10)]
        self.rng = np.random.default_rng(seed)

    def __len__(self):
        return min(len(g) for g in self.groups)

    def __iter__(self):
        columns = [self.rng.permutation(g)[: len(self)] for g in self.groups]
        for row in zip(*columns):
            yield self.rng.permutation(row).tolist()


class TinyCLIP(nn.Module):
    def __init__(self, dim=24):
        super().__init__()
        self.image = nn.Sequential(nn.Linear(64, 96), nn.ReLU(), nn.Linear(96, dim))
        self.embed = nn.EmbeddingBag(len(CHARS) ** 2 + 1, 32, padding_idx=0, mode="mean")
        self.text = nn.Sequential(nn.Linear(32, 48), nn.ReLU(), nn.Linear(48, dim))
        self.logit_scale = nn.Parameter(torch.tensor(np.log(1 / 0.2), dtype=torch.float32))

    def encode_text(self, tokens):
        left, right = tokens[:, :-1], tokens[:, 1:]
        bigrams = torch.where(right > 0, (left - 1) * len(CHARS) + right, torch.zeros_like(left))
        return F.normalize(self.text(self.embed(bigrams)), dim=-1)

    def forward(self, images, tokens):
        scale = self.logit_scale.exp().clamp(max=50.0)
        return scale * F.normalize(self.image(images), dim=-1) @ self.encode_text(tokens).T


def clip_loss(logits):
    target = torch.arange(len(logits))
    return 0.5 * (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target))


def main():
    torch.manual_seed(2)
    X, y = load_digits(return_X_y=True)
    xa, xb, ya, yb = train_test_split((X / 8 - 1).astype("float32"), y, test_size=0.25, stratify=y, random_state=2)
    loader = DataLoader(Captioned(xa, ya, seed=2), batch_sampler=OneOfEach(ya, seed=3))
    model = TinyCLIP()
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=1e-4)
    for epoch in range(4):
        model.train()
        losses = []
        for images, tokens, _ in loader:
            loss = clip_loss(model(images, tokens))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        if epoch % 2 == 1:
            print(f"epoch {epoch + 1}  loss {np.mean(losses):.4f}  scale {model.logit_scale.exp().item():.2f}")

    model.eval()
    prompts = torch.stack([tokenize(f"the digit {name}") for name in NAMES])
    with torch.no_grad():
        logits = model(torch.from_numpy(xb), prompts)
    zero_shot = (logits.argmax(dim=1).numpy() == yb).mean()
    best_picture = (yb[logits.argmax(dim=0).numpy()] == np.arange(10)).mean()
    print(f"picture to caption {zero_shot:.4f}, caption to picture {best_picture:.2f}")


if __name__ == "__main__":
    main()
