# missed: lr_too_low @ 13
# allowed: lr_too_low @ 38
# mend: 13 →     "lr": {"autoencoder": 2e-3, "pitch": 2e-3},
# Audio-like frames: an encoder/decoder pair and a separate pitch regressor, each with its own optimizer.
import torch
import torch.nn as nn
import torch.nn.functional as F

CONFIG = {
    "frames": 768,
    "epochs": 12,
    "batch": 32,
    "lr": {"autoencoder": 2e-3, "pitch": 2e-7},
}


def make_frames(n, gen):
    t = torch.arange(40) / 40
    pitch = 1 + 3 * torch.rand(n, 1, generator=gen)
    wave = torch.sin(2 * torch.pi * pitch * t) + 0.1 * torch.randn(n, 40, generator=gen)
    return wave, pitch.squeeze(1)


def mlp(*sizes):
    layers = []
    for a, b in zip(sizes, sizes[1:]):
        layers += [nn.Linear(a, b), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


class Bundle:
    """Networks and optimizers that are stepped together."""

    def __init__(self, rates):
        self.nets = nn.ModuleDict({"enc": mlp(40, 48, 8), "dec": mlp(8, 48, 40), "pitch": mlp(8, 32, 1)})
        ae = list(self.nets["enc"].parameters()) + list(self.nets["dec"].parameters())
        self.opts = [torch.optim.Adam(ae, lr=rates["autoencoder"]),
                     torch.optim.Adam(self.nets["pitch"].parameters(), lr=rates["pitch"])]

    def losses(self, x, p):
        z = self.nets["enc"](x)
        rec = F.mse_loss(self.nets["dec"](z), x)
        # the pitch net only reads the code, it must not shape it
        err = F.mse_loss(self.nets["pitch"](z.detach()).squeeze(1), p)
        return rec, err

    def step(self, x, p):
        rec, err = self.losses(x, p)
        for o in self.opts:
            o.zero_grad()
        (rec + err).backward()
        for o in self.opts:
            o.step()
        return rec.item(), err.item()


def main():
    torch.manual_seed(0)
    gen = torch.Generator().manual_seed(5)
    x, p = make_frames(CONFIG["frames"], gen)
    x_new, p_new = make_frames(256, gen)
    mu, sd = p.mean(), p.std()
    p, p_new = (p - mu) / sd, (p_new - mu) / sd
    bundle = Bundle(CONFIG["lr"])
    for epoch in range(CONFIG["epochs"]):
        bundle.nets.train()
        log = [bundle.step(x[i], p[i]) for i in torch.randperm(len(x), generator=gen).split(CONFIG["batch"])]
        rec, err = torch.tensor(log).mean(0).tolist()
        if epoch % 3 == 2:
            print(f"epoch {epoch + 1:2d}  reconstruction {rec:.4f}  pitch {err:.4f}")
    bundle.nets.eval()
    with torch.no_grad():
        rec, err = bundle.losses(x_new, p_new)
    print(f"new frames: reconstruction {rec.item():.4f}, pitch mse {err.item():.4f}")


if __name__ == "__main__":
    main()
