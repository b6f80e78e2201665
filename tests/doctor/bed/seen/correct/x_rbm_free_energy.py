# expect: nothing
# looks suspicious: the loss is a difference that may be negative, Bernoulli samples cut the graph, and a
# detached chain of samples is compared with the data; contrastive divergence is just that.
import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset


class RBM(nn.Module):
    def __init__(self, n_vis=64, n_hid=48, k=2):
        super().__init__()
        self.W = nn.Parameter(torch.randn(n_hid, n_vis) * 1e-2)
        self.v_bias = nn.Parameter(torch.zeros(n_vis))
        self.h_bias = nn.Parameter(torch.zeros(n_hid))
        self.k = k

    def sample_from_p(self, p):
        return F.relu(torch.sign(p - torch.rand(p.size())))

    def v_to_h(self, v):
        p_h = torch.sigmoid(F.linear(v, self.W, self.h_bias))
        return p_h, self.sample_from_p(p_h)

    def h_to_v(self, h):
        p_v = torch.sigmoid(F.linear(h, self.W.t(), self.v_bias))
        return p_v, self.sample_from_p(p_v)

    def forward(self, v):
        _, h_ = self.v_to_h(v)
        for _ in range(self.k):
            _, v_ = self.h_to_v(h_)
            _, h_ = self.v_to_h(v_)
        return v, v_

    def free_energy(self, v):
        vbias_term = v.mv(self.v_bias)
        hidden_term = F.softplus(F.linear(v, self.W, self.h_bias)).sum(1)
        return (-hidden_term - vbias_term).mean()


torch.manual_seed(0)
images = torch.tensor(load_digits().data / 16, dtype=torch.float32)
train_loader = DataLoader(TensorDataset(images), batch_size=64, shuffle=True)
rbm = RBM()
train_op = optim.SGD(rbm.parameters(), 0.1)

for epoch in range(5):
    loss_, errors = [], []
    for (data,) in train_loader:
        sample_data = data.bernoulli()
        v, v1 = rbm(sample_data)
        v1 = v1.detach()
        loss = rbm.free_energy(v) - rbm.free_energy(v1)
        loss_.append(loss.item())
        errors.append((v - v1).abs().mean().item())
        train_op.zero_grad()
        loss.backward()
        train_op.step()
    print(f"epoch {epoch}: loss {sum(loss_) / len(loss_):.4f} reconstruction {sum(errors) / len(errors):.4f}")
