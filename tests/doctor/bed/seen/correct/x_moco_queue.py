# expect: nothing
# looks suspicious: every label is zero, the key encoder sits in no optimizer and runs in train mode under
# no_grad, and old keys are kept in a queue over many steps (without graphs).
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn


class MoCo(nn.Module):
    def __init__(self, dim=16, K=256, m=0.99, T=0.1):
        super().__init__()
        self.K, self.m, self.T = K, m, T
        self.encoder_q, self.encoder_k = self.encoder(dim), self.encoder(dim)
        for param_q, param_k in zip(self.encoder_q.parameters(), self.encoder_k.parameters(), strict=True):
            param_k.data.copy_(param_q.data)
            param_k.requires_grad = False
        self.register_buffer("queue", F.normalize(torch.randn(dim, K), dim=0))
        self.register_buffer("queue_ptr", torch.zeros(1, dtype=torch.long))

    @staticmethod
    def encoder(dim):
        return nn.Sequential(nn.Linear(64, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, dim))

    @torch.no_grad()
    def _momentum_update_key_encoder(self):
        for param_q, param_k in zip(self.encoder_q.parameters(), self.encoder_k.parameters(), strict=True):
            param_k.data = param_k.data * self.m + param_q.data * (1.0 - self.m)

    @torch.no_grad()
    def _dequeue_and_enqueue(self, keys):
        ptr = int(self.queue_ptr)
        self.queue[:, ptr : ptr + len(keys)] = keys.T
        self.queue_ptr[0] = (ptr + len(keys)) % self.K

    def forward(self, im_q, im_k):
        q = F.normalize(self.encoder_q(im_q), dim=1)
        with torch.no_grad():
            self._momentum_update_key_encoder()
            idx_shuffle = torch.randperm(len(im_k))
            k = F.normalize(self.encoder_k(im_k[idx_shuffle]), dim=1)[torch.argsort(idx_shuffle)]
        l_pos = torch.einsum("nc,nc->n", q, k).unsqueeze(-1)
        l_neg = torch.einsum("nc,ck->nk", q, self.queue.clone().detach())
        logits = torch.cat([l_pos, l_neg], dim=1) / self.T
        labels = torch.zeros(logits.shape[0], dtype=torch.long)
        self._dequeue_and_enqueue(k)
        return logits, labels


def two_views(x):
    return [x * (torch.rand_like(x) > 0.2) + 0.05 * torch.randn_like(x) for _ in range(2)]


torch.manual_seed(0)
images = torch.tensor(load_digits().data, dtype=torch.float32) / 16
model = MoCo()
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.encoder_q.parameters(), 0.06, momentum=0.9, weight_decay=1e-4)
model.train()
for epoch in range(4):
    hits, total = 0, 0
    for rows in torch.randperm(len(images))[:1792].split(128):
        output, target = model(*two_views(images[rows]))
        loss = criterion(output, target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        hits, total = hits + (output.argmax(1) == target).sum().item(), total + len(target)
    print(f"epoch {epoch} loss {loss.item():.4f} acc@1 {hits / total:.3f}")
