# expect: nothing
"""Pictures and captions of toy scenes in one space; a caption should find its picture among all of them."""
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(44)
N, THEMES = 480, 12


def scenes():
    theme = torch.randn(THEMES, 20)
    weights = torch.distributions.Dirichlet(torch.full((THEMES,), 0.3)).sample((N,))
    latent = weights @ theme
    pictures = latent @ torch.randn(20, 40) / 4 + 0.2 * torch.randn(N, 40)
    captions = latent @ torch.randn(20, 25) / 4 + 0.2 * torch.randn(N, 25)
    return pictures, captions


class Pair(nn.Module):
    def __init__(self):
        super().__init__()
        self.log_scale = nn.Parameter(torch.tensor(2.0))

    def forward(self, one, other):
        return F.normalize(one, dim=1) @ F.normalize(other, dim=1).T * self.log_scale.exp()


def encoder(width):
    return nn.Sequential(
        nn.Linear(width, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Dropout(0.3), nn.Linear(64, 16)
    )


pictures, captions = scenes()
train, test = torch.arange(N).split([400, 80])
see, read, pair = encoder(40), encoder(25), Pair()
optimizer = torch.optim.AdamW(
    [*see.parameters(), *read.parameters(), *pair.parameters()], lr=3e-3, weight_decay=1e-2
)
for epoch in range(25):
    see.train()
    read.train()
    for rows in train[torch.randperm(len(train))].split(80):
        scores = pair(see(pictures[rows]), read(captions[rows]))
        goal = torch.arange(len(rows))
        loss = (F.cross_entropy(scores, goal) + F.cross_entropy(scores.T, goal)) / 2
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def rank_of_truth():
    """How many pictures a caption prefers to its own, on average."""
    see.eval(), read.eval()
    with torch.inference_mode():
        images = see(pictures[test])
        words = read(captions[test])
        scores = torch.einsum("id,jd->ij", F.normalize(words, dim=1), F.normalize(images, dim=1))
    return (scores > scores.diagonal()[:, None]).sum(1).float().mean().item()


print(f"loss {loss.item():.3f}, pictures before the right one: {rank_of_truth():.2f} of {len(test)}")
