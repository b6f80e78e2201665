# expect: nothing
"""Self-supervised pre-training on a clinical table (swap noise), then a linear probe on frozen features.

Only a fifth of the training rows carry a label in the second stage, as in the study protocol.
"""
import torch
from sklearn.datasets import load_breast_cancer
from sklearn.metrics import balanced_accuracy_score, roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import PowerTransformer
from torch import Tensor, nn
from torch.nn import functional as F

SEED = 31


def swap_noise(x: Tensor, rate: float) -> tuple[Tensor, Tensor]:
    """Replace a share of the cells by the same column's value in another row of the batch."""
    mask = torch.rand_like(x) < rate
    donor = torch.stack([col[torch.randperm(len(x))] for col in x.unbind(1)], dim=1)
    return torch.where(mask, donor, x), mask


class Encoder(nn.Module):
    def __init__(self, d_in, d_hidden=48, d_out=16):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(d_in, d_hidden), nn.GELU(), nn.LayerNorm(d_hidden), nn.Linear(d_hidden, d_out))

    def forward(self, x):
        return self.layers(x)


class Pretext(nn.Module):
    """Two heads: restore the clean row, and tell which cells were swapped."""

    def __init__(self, encoder, d_in, d_code=16):
        super().__init__()
        self.encoder = encoder
        self.restore = nn.Linear(d_code, d_in)
        self.detect = nn.Linear(d_code, d_in)

    def training_step(self, x):
        noisy, swapped = swap_noise(x, 0.2)
        code = self.encoder(noisy)
        return F.mse_loss(self.restore(code), x) + 0.5 * F.binary_cross_entropy_with_logits(
            self.detect(code), swapped.float())


def pretrain(pretext, x, epochs=25, batch=64):
    opt = torch.optim.AdamW(pretext.parameters(), lr=4e-3, weight_decay=1e-4)
    n_batches = -(-len(x) // batch)
    sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, T_max=epochs * n_batches)
    pretext.train()
    for epoch in range(epochs):
        losses = []
        for rows in torch.randperm(len(x)).split(batch):
            loss = pretext.training_step(x[rows])
            opt.zero_grad()
            loss.backward()
            opt.step()
            sched.step()
            losses.append(loss.item())
        if epoch % 6 == 0:
            print(f"pretext epoch {epoch:2d}: {sum(losses) / len(losses):.4f}")


def linear_probe(encoder, x, y, x_new, epochs=60):
    encoder.eval().requires_grad_(False)
    with torch.no_grad():  # the encoder stays as it is, so its codes are computed once
        codes, codes_new = encoder(x), encoder(x_new)
    mu, sd = codes.mean(0), codes.std(0)
    codes, codes_new = (codes - mu) / sd, (codes_new - mu) / sd
    probe = nn.Linear(codes.shape[1], 1)
    nn.init.zeros_(probe.weight)  # logistic regression: convex, any start is fine
    opt = torch.optim.SGD(probe.parameters(), lr=0.2, momentum=0.9, weight_decay=1e-3)
    for epoch in range(epochs):
        loss = F.binary_cross_entropy_with_logits(probe(codes).squeeze(1), y)
        opt.zero_grad()
        loss.backward()
        opt.step()
        if epoch % 20 == 0:
            print(f"probe epoch {epoch:2d}: {loss.item():.4f}")
    with torch.no_grad():
        return probe(codes_new).squeeze(1).sigmoid()


def main():
    torch.manual_seed(SEED)
    frame = load_breast_cancer(as_frame=True)
    malignant = (frame.target == 0).astype("float32")
    df_tr, df_te, y_tr, y_te = train_test_split(
        frame.data, malignant, test_size=0.3, stratify=malignant, random_state=SEED)
    power = PowerTransformer().fit(df_tr)
    x_tr, x_te = (torch.from_numpy(power.transform(d)).float() for d in (df_tr, df_te))

    encoder = Encoder(x_tr.shape[1])
    pretrain(Pretext(encoder, x_tr.shape[1]), x_tr)

    y_tr = torch.tensor(y_tr.to_numpy())
    labelled, _ = train_test_split(torch.arange(len(y_tr)), train_size=0.2, stratify=y_tr, random_state=SEED)
    prob = linear_probe(encoder, x_tr[labelled], y_tr[labelled], x_te).numpy()
    print(f"{len(labelled)} labelled rows -> test AUC {roc_auc_score(y_te, prob):.3f}, "
          f"balanced accuracy {balanced_accuracy_score(y_te, prob > 0.5):.3f}")


if __name__ == "__main__":
    main()
