# expect: nothing
"""Speaker embeddings from filter-bank clips, trained as an additive-margin classifier
and judged by nearest-centroid identification on held-out clips."""
import logging

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, Dataset

logging.basicConfig(level=logging.INFO, format="%(message)s", force=True)
log = logging.getLogger("speaker")


class ClipDataset(Dataset):
    """Synthetic filter-bank clips: each speaker has a resonance pattern and a pitch rhythm."""

    def __init__(self, n_speakers=12, clips=40, bands=20, frames=24, seed=3):
        rng = np.random.default_rng(seed)
        shape = rng.normal(size=(n_speakers, bands))
        rhythm = rng.uniform(1, 4, n_speakers)
        t = np.linspace(0, 1, frames)
        self.clips, self.speaker = [], []
        for s in range(n_speakers):
            for _ in range(clips):
                wave = np.sin(2 * np.pi * (rhythm[s] * t + rng.uniform()))
                clip = np.outer(shape[s], wave) + rng.normal(0, 1.2, (bands, frames))
                self.clips.append(torch.tensor((clip - clip.mean()) / clip.std(), dtype=torch.float32))
                self.speaker.append(s)

    def __len__(self):
        return len(self.clips)

    def __getitem__(self, i):
        return self.clips[i], self.speaker[i]


class SpeakerNet(nn.Module):
    def __init__(self, bands, n_speakers, dim=32, margin=0.1, scale=12.0):
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Conv1d(bands, 32, 5, padding=2), nn.BatchNorm1d(32), nn.ReLU(),
            nn.Conv1d(32, 32, 3, padding=1), nn.BatchNorm1d(32), nn.ReLU())
        self.project = nn.Linear(64, dim)
        self.centres = nn.Parameter(torch.randn(n_speakers, dim))
        self.margin, self.scale = margin, scale

    def embed(self, clips):
        h = self.encoder(clips)
        return torch.cat([h.mean(-1), h.std(-1)], dim=1)

    def forward(self, clips):
        return F.normalize(self.project(self.embed(clips)), dim=1)

    def loss(self, clips, speaker):
        cosine = self(clips) @ F.normalize(self.centres, dim=1).T
        cosine = cosine - self.margin * F.one_hot(speaker, cosine.shape[1])
        return F.cross_entropy(self.scale * cosine, speaker)


def train(model, loader, epochs=10, lr=3e-3):
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    for epoch in range(1, epochs + 1):
        model.train()
        total = 0.0
        for clips, speaker in loader:
            optimizer.zero_grad()
            loss = model.loss(clips, speaker)
            loss.backward()
            optimizer.step()
            total += loss.item()
        log.info("epoch %2d  loss %.4f", epoch, total / len(loader))


@torch.no_grad()
def identify(model, enrol, probe):
    model.eval()
    vectors = torch.cat([model(c) for c, _ in enrol])
    owners = torch.cat([s for _, s in enrol])
    centroids = torch.stack([vectors[owners == s].mean(0) for s in owners.unique()])
    hits = sum(((model(c) @ centroids.T).argmax(1) == s).sum().item() for c, s in probe)
    return hits / len(probe.dataset)


if __name__ == "__main__":
    torch.manual_seed(11)
    data = ClipDataset()
    known, unseen = torch.utils.data.random_split(data, [0.75, 0.25])
    net = SpeakerNet(bands=20, n_speakers=12)
    train(net, DataLoader(known, 40, shuffle=True, drop_last=True))
    accuracy = identify(net, DataLoader(known, 120), DataLoader(unseen, 120))
    log.info("identification accuracy %.3f", accuracy)
