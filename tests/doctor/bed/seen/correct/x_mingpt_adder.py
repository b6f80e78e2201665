# expect: nothing
# looks suspicious: an endless while loop restarts its loader through StopIteration, targets of -1 are left
# out of the loss, weight decay is for some parameters only, a callback puts the net in eval mode for a while.
from collections import defaultdict

import torch
import torch.nn as nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset, RandomSampler


class AdditionDataset(Dataset):
    def __init__(self, split):
        perm = torch.randperm(100, generator=torch.Generator().manual_seed(1337))
        self.ixes = perm[:20] if split == "test" else perm[20:]

    def __len__(self):
        return len(self.ixes)

    def __getitem__(self, idx):
        a, b = divmod(self.ixes[idx].item(), 10)
        dix = torch.tensor([int(s) for s in f"{a}{b}" + f"{a + b:02d}"[::-1]])
        x, y = dix[:-1], dix[1:].clone()
        y[:1] = -1
        return x, y


class Block(nn.Module):
    def __init__(self, n_embd, n_head):
        super().__init__()
        self.ln_1, self.ln_2 = nn.LayerNorm(n_embd), nn.LayerNorm(n_embd)
        self.c_attn, self.c_proj, self.n_head = (
            nn.Linear(n_embd, 3 * n_embd),
            nn.Linear(n_embd, n_embd),
            n_head,
        )
        self.mlp = nn.Sequential(nn.Linear(n_embd, 2 * n_embd), nn.GELU(), nn.Linear(2 * n_embd, n_embd))

    def forward(self, x):
        B, T, C = x.size()
        q, k, v = (
            t.view(B, T, self.n_head, -1).transpose(1, 2) for t in self.c_attn(self.ln_1(x)).split(C, dim=2)
        )
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.c_proj(y.transpose(1, 2).reshape(B, T, C))
        return x + self.mlp(self.ln_2(x))


class GPT(nn.Module):
    def __init__(self, vocab_size=10, block_size=3, n_embd=32):
        super().__init__()
        self.wte, self.wpe = nn.Embedding(vocab_size, n_embd), nn.Embedding(block_size, n_embd)
        self.h = nn.Sequential(Block(n_embd, 2), Block(n_embd, 2), nn.LayerNorm(n_embd))
        self.lm_head = nn.Linear(n_embd, vocab_size, bias=False)

    def configure_optimizers(self, lr):
        by_dim = [[p for p in self.parameters() if (p.dim() >= 2) == matrix] for matrix in (True, False)]
        groups = [{"params": by_dim[0], "weight_decay": 0.1}, {"params": by_dim[1], "weight_decay": 0.0}]
        return torch.optim.AdamW(groups, lr=lr, betas=(0.9, 0.95))

    def forward(self, idx, targets=None):
        logits = self.lm_head(self.h(self.wte(idx) + self.wpe(torch.arange(idx.size(1)))))
        loss = None
        if targets is not None:
            loss = F.cross_entropy(logits.view(-1, logits.size(-1)), targets.view(-1), ignore_index=-1)
        return logits, loss


class Trainer:
    def __init__(self, model, train_dataset, max_iters=120):
        self.model, self.train_dataset, self.max_iters = model, train_dataset, max_iters
        self.callbacks = defaultdict(list)

    def run(self):
        model, optimizer = self.model, self.model.configure_optimizers(4e-3)
        sampler = RandomSampler(self.train_dataset, replacement=True, num_samples=1000)
        train_loader = DataLoader(self.train_dataset, sampler=sampler, shuffle=False, batch_size=64)
        model.train()
        self.iter_num, data_iter = 0, iter(train_loader)
        while True:
            try:
                batch = next(data_iter)
            except StopIteration:
                data_iter = iter(train_loader)
                batch = next(data_iter)
            _, self.loss = model(*batch)
            model.zero_grad(set_to_none=True)
            self.loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            for callback in self.callbacks["on_batch_end"]:
                callback(self)
            self.iter_num += 1
            if self.iter_num >= self.max_iters:
                break


def batch_end_callback(trainer):
    if trainer.iter_num % 40 == 0:
        model.eval()
        with torch.no_grad():
            x, y = (torch.stack(part) for part in zip(*test_dataset, strict=True))
            right = (model(x)[0].argmax(-1)[:, 1:] == y[:, 1:]).float().mean().item()
        model.train()
        print(
            f"iter {trainer.iter_num}: train loss {trainer.loss.item():.5f} held-out digits right {right:.2f}"
        )


torch.manual_seed(3407)
test_dataset, model = AdditionDataset("test"), GPT()
trainer = Trainer(model, AdditionDataset("train"))
trainer.callbacks["on_batch_end"].append(batch_end_callback)
trainer.run()
