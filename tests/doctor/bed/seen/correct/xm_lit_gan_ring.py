# expect: nothing
# needs: lightning
# GAN en Lightning avec optimisation manuelle : points sur un anneau
import math

import torch
import torch.nn as nn
import torch.nn.functional as F
import lightning as L
from torch.utils.data import DataLoader, TensorDataset


def anneau(n, graine):
    g = torch.Generator().manual_seed(graine)
    angle = torch.rand(n, generator=g) * 2 * math.pi
    rayon = 1.0 + 0.05 * torch.randn(n, generator=g)
    return torch.stack([rayon * angle.cos(), rayon * angle.sin()], dim=1)


def mlp(entree, sortie, large=48):
    return nn.Sequential(nn.Linear(entree, large), nn.LeakyReLU(0.2),
                         nn.Linear(large, large), nn.LeakyReLU(0.2), nn.Linear(large, sortie))


class GAN(L.LightningModule):
    def __init__(self, dim_latent=4, lr=1.5e-3, b1=0.5, b2=0.9):
        super().__init__()
        self.save_hyperparameters()
        self.automatic_optimization = False
        self.generateur = mlp(dim_latent, 2)
        self.discriminateur = mlp(2, 1)

    def forward(self, z):
        return self.generateur(z)

    @staticmethod
    def perte_adverse(logits, cible):
        return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, cible))

    def training_step(self, batch):
        (reels,) = batch
        opt_g, opt_d = self.optimizers()
        z = torch.randn(len(reels), self.hparams.dim_latent, device=self.device)

        # générateur
        self.toggle_optimizer(opt_g)
        perte_g = self.perte_adverse(self.discriminateur(self(z)), 1.0)
        opt_g.zero_grad()
        self.manual_backward(perte_g)
        opt_g.step()
        self.untoggle_optimizer(opt_g)

        # discriminateur
        self.toggle_optimizer(opt_d)
        perte_reel = self.perte_adverse(self.discriminateur(reels), 1.0)
        perte_faux = self.perte_adverse(self.discriminateur(self(z).detach()), 0.0)
        perte_d = (perte_reel + perte_faux) / 2
        opt_d.zero_grad()
        self.manual_backward(perte_d)
        opt_d.step()
        self.untoggle_optimizer(opt_d)
        self.log_dict({"perte_g": perte_g, "perte_d": perte_d}, on_step=False, on_epoch=True)

    def on_train_epoch_end(self):
        if (self.current_epoch + 1) % 3:
            return
        self.eval()
        with torch.no_grad():
            pts = self(torch.randn(1000, self.hparams.dim_latent))
        self.train()
        rayon = pts.norm(dim=1)
        angles = torch.atan2(pts[:, 1], pts[:, 0])
        secteurs = ((angles + math.pi) / (2 * math.pi) * 12).long().clamp(max=11).unique().numel()
        m = self.trainer.callback_metrics
        print(f"époque {self.current_epoch + 1:2d}  G {m['perte_g']:.3f}  D {m['perte_d']:.3f}  "
              f"rayon {rayon.mean():.3f} ± {rayon.std():.3f}  secteurs {secteurs}/12")

    def configure_optimizers(self):
        betas = (self.hparams.b1, self.hparams.b2)
        opt_g = torch.optim.Adam(self.generateur.parameters(), lr=self.hparams.lr, betas=betas)
        opt_d = torch.optim.Adam(self.discriminateur.parameters(), lr=self.hparams.lr, betas=betas)
        return [opt_g, opt_d], []


if __name__ == "__main__":
    L.seed_everything(0)
    loader = DataLoader(TensorDataset(anneau(2048, 1)), batch_size=128, shuffle=True)
    trainer = L.Trainer(max_epochs=21, accelerator="cpu", logger=False, enable_checkpointing=False,
                        enable_progress_bar=False, enable_model_summary=False)
    trainer.fit(GAN(), loader)
