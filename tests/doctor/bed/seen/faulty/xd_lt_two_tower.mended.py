# needs: lightning
# expect: nothing
"""Two-tower retrieval model (user tower / item tower) with an in-batch softmax loss, in Lightning."""
import logging
import warnings

import lightning.pytorch as pl
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset

logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
warnings.filterwarnings("ignore", message=".*does not have many workers.*")

N_USERS, N_ITEMS, D_USER, D_ITEM = 400, 150, 12, 16


def make_world(gen):
    taste = torch.randn(N_USERS, 4, generator=gen)
    style = torch.randn(N_ITEMS, 4, generator=gen)
    users = taste @ torch.randn(4, D_USER, generator=gen) / 2 + 0.3 * torch.randn(N_USERS, D_USER, generator=gen)
    items = style @ torch.randn(4, D_ITEM, generator=gen) / 2 + 0.3 * torch.randn(N_ITEMS, D_ITEM, generator=gen)
    # every user buys 6 distinct items, sampled by affinity
    bought = torch.multinomial(torch.softmax(1.5 * taste @ style.T, dim=1), 6, generator=gen)
    return users, items, bought


def tower(d_in, d_out=16):
    return nn.Sequential(nn.Linear(d_in, 32), nn.ReLU(), nn.Linear(32, d_out))


class TwoTower(pl.LightningModule):
    def __init__(self, item_features, lr=3e-3, temperature=0.1):
        super().__init__()
        self.lr, self.temperature = lr, temperature
        self.register_buffer("item_features", item_features)
        self.user_tower = tower(D_USER)
        self.item_tower = tower(D_ITEM)
        self.losses, self.hits = [], []

    def encode_users(self, x):
        return F.normalize(self.user_tower(x), dim=-1)

    def encode_items(self, ids=None):
        """Item vectors; the whole catalogue when no ids are given (index building)."""
        feats = self.item_features if ids is None else self.item_features[ids]
        return F.normalize(self.item_tower(feats), dim=-1)

    def training_step(self, batch, batch_idx):
        x, pos = batch
        u = self.encode_users(x)
        v = self.encode_items(pos)
        scores = u @ v.T / self.temperature
        # the same item may appear twice in a batch: those columns are no negatives
        same = (pos[:, None] == pos[None, :]) & ~torch.eye(len(pos), dtype=torch.bool)
        scores = scores.masked_fill(same, float("-inf"))
        loss = F.cross_entropy(scores, torch.arange(len(pos)))
        self.losses.append(loss.item())
        return loss

    def on_train_epoch_end(self):
        if self.current_epoch % 3 == 2:
            print(f"epoch {self.current_epoch + 1:2d}  in-batch loss {sum(self.losses) / len(self.losses):.4f}")
        self.losses.clear()

    def on_test_epoch_start(self):
        self.hits.clear()

    def test_step(self, batch, batch_idx):
        x, target = batch
        scores = self.encode_users(x) @ self.encode_items().T
        top = scores.topk(20, dim=1).indices
        self.hits.append((top == target[:, None]).any(dim=1).float())

    def on_test_epoch_end(self):
        print(f"recall@20 on unseen users: {torch.cat(self.hits).mean().item():.3f}")

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=self.lr)


def pairs(users, bought, rows):
    return TensorDataset(users[rows].repeat_interleave(bought.size(1), 0), bought[rows].flatten())


def main():
    pl.seed_everything(8, verbose=False)
    gen = torch.Generator().manual_seed(8)
    users, items, bought = make_world(gen)
    order = torch.randperm(N_USERS, generator=gen)
    fit_users, new_users = order[:320], order[320:]
    users = (users - users[fit_users].mean(0)) / users[fit_users].std(0)

    fit = DataLoader(pairs(users, bought, fit_users), batch_size=64, shuffle=True, drop_last=True)
    test = DataLoader(pairs(users, bought, new_users), batch_size=120)
    trainer = pl.Trainer(
        max_epochs=12, accelerator="cpu", logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False,
    )
    model = TwoTower(items)
    before = model.item_tower[0].weight.detach().clone()
    trainer.fit(model, fit)
    moved = (model.item_tower[0].weight.detach() - before).abs().mean().item()
    print(f"mean change of the item tower's first layer: {moved:.5f}")
    trainer.test(model, test, verbose=False)


if __name__ == "__main__":
    main()
