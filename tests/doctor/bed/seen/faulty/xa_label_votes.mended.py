# expect: nothing
"""Soft targets from annotators: learn how likely a sentence is judged 'rude'.

Five people vote on each (synthetic) sentence vector; the net predicts the share of 'rude' votes.
"""
import torch
import torch.nn as nn
import torch.nn.functional as F

SEED, N, DIM, ANNOTATORS = 5, 1200, 16, 5


def make_annotations():
    gen = torch.Generator().manual_seed(SEED)
    vectors = torch.randn(N, DIM, generator=gen)
    direction = torch.randn(DIM, generator=gen)
    direction = direction / direction.norm()
    rudeness = torch.sigmoid(2.5 * vectors @ direction - 0.5)
    # annotators do not agree: each votes by a coin with this probability
    votes = torch.bernoulli(rudeness[:, None].expand(N, ANNOTATORS), generator=gen)
    return vectors, votes


def soft_target(votes):
    return votes.mean(dim=1)


def build():
    return nn.Sequential(nn.Linear(DIM, 24), nn.ReLU(), nn.Linear(24, 1), nn.Flatten(0))


def fit(net, x, target, on_epoch, epochs=15, batch=40):
    optim = torch.optim.AdamW(net.parameters(), lr=3e-3)
    for epoch in range(epochs):
        net.train()
        total = 0.0
        for pick in torch.randperm(len(x)).split(batch):
            loss = F.binary_cross_entropy_with_logits(net(x[pick]), target[pick])
            optim.zero_grad()
            loss.backward()
            optim.step()
            total += loss.item() * len(pick)
        on_epoch(epoch, total / len(x))


def evaluate(net, x, votes):
    net.eval()
    with torch.no_grad():
        p = torch.sigmoid(net(x))
    share = votes.mean(dim=1)
    majority = share > 0.5
    return {
        "brier": F.mse_loss(p, share).item(),
        "majority_acc": ((p > 0.5) == majority).float().mean().item(),
    }


def main():
    torch.manual_seed(SEED)
    vectors, votes = make_annotations()
    cut = int(0.8 * N)
    x_train, x_test = vectors[:cut], vectors[cut:]
    v_train, v_test = votes[:cut], votes[cut:]

    net = build()
    fit(net, x_train, soft_target(v_train),
        on_epoch=lambda e, value: print(f"[{e:02d}] loss {value:.4f}"))
    for name, value in evaluate(net, x_test, v_test).items():
        print(f"{name}: {value:.4f}")


if __name__ == "__main__":
    main()
