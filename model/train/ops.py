"""The operations of the encoder, each with its way back.

On a CPU they call kernels.c (built here on first use) and leave the matrix products to torch: in bfloat16 where the processor multiplies that, which is where
torch 1.13 is quick, else in float32 (have libopenblas0-pthread: it is fifteen times as fast as what torch brings); on a GPU they are torch's own. Both give the same network: `python3 ops.py` compares outputs and gradients.

Gradients of weights do not pass through autograd on the CPU: each operation adds its own to the flat gradient of Weights, so that
one fused Adam can run over everything.
"""
import ctypes
import hashlib
import math
import os
import pathlib
import subprocess
import tempfile
import time

import torch
import torch.nn.functional as F

BF16 = torch.bfloat16
THREADS = int(os.environ.get("OMP_NUM_THREADS", "2"))
MULTIPLIES = any(flag in pathlib.Path("/proc/cpuinfo").read_text() for flag in ("avx512_bf16", "amx_bf16"))


def build_library(sources, flags, name):
    """Compiles C sources into a shared library in the user's cache, once per content."""
    text = b"".join(pathlib.Path(s).read_bytes() for s in sources) + " ".join(flags).encode()
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "vedette-train"
    cache.mkdir(parents=True, exist_ok=True)
    out = cache / f"{name}-{hashlib.sha256(text).hexdigest()[:16]}.so"
    if not out.exists():
        with tempfile.TemporaryDirectory(dir=cache) as tmp:
            part = f"{tmp}/{name}.so"
            subprocess.run(["gcc", "-shared", "-fPIC", "-Wl,-z,defs", *map(str, sources), "-o", part, *flags, "-lm"], check=True)
            os.replace(part, out)
    return ctypes.CDLL(str(out))


def product(a, b):
    """Of matrices in bfloat16, or of stacks of them."""
    return (a @ b if MULTIPLIES else (a.float() @ b.float()).to(BF16)).contiguous()


def keep(state, path):
    """Saves it so that who waits for the file finds all of it."""
    part = path.with_suffix(".part")
    torch.save(state, part)
    part.replace(path)


def kept(path, wait=False):
    """What keep() saved; wait: once it is there, unless a program that others wait for has failed (gpu makes the file)."""
    while wait and not path.exists():
        if path.with_name("failed").exists():
            raise SystemExit(f"{path} will not come: another program has failed")
        time.sleep(0.2)
    return torch.load(path, map_location="cpu")


_kernels = None


def kernels():
    global _kernels
    if _kernels is None:
        torch.set_num_threads(THREADS)
        here = pathlib.Path(__file__).parent
        _kernels = build_library([here / "kernels.c"], ["-Ofast", "-march=native", "-fopenmp"], "kernels")
        _kernels.cross_entropy.restype = ctypes.c_double
        _kernels.sum_of_squares.restype = ctypes.c_double
    return _kernels


def ptr(t):
    if t is None:
        return None
    assert t.is_contiguous()
    return ctypes.c_void_p(t.data_ptr())


def num(x):
    return ctypes.c_float(x) if isinstance(x, float) else ctypes.c_long(x)


def small(x):
    return ctypes.c_int(x)


class Weights:
    """All parameters in one flat float32 vector, with gradient, Adam's moments and a bfloat16 copy beside it."""

    def __init__(self, device="cpu"):
        self.spec, self.size, self.device, self.steps = {}, 0, device, 0

    def add(self, name, shape, std):
        self.spec[name] = (shape, std, self.size)
        self.size += (math.prod(shape) + 31) // 32 * 32

    def build(self, generator=None):
        self.p = torch.zeros(self.size)
        for name, (shape, std, at) in self.spec.items():
            view = self.p[at:at + math.prod(shape)]
            view.fill_(1) if std == "one" else view.normal_(0, std, generator=generator) if std else None
        self.p = self.p.to(self.device)
        self.g, self.m, self.v = (torch.zeros_like(self.p) for _ in range(3))
        self.b = self.p.to(BF16)
        self.P, self.G, self.B = ({n: flat[at:at + math.prod(shape)].view(shape) for n, (shape, _, at) in self.spec.items()}
                                  for flat in (self.p, self.g, self.b))
        if self.device != "cpu":
            self.seen_by_autograd()
        return self

    def seen_by_autograd(self):
        """Every parameter becomes a leaf whose gradient is its part of g, so that what autograd adds up lies in one vector."""
        for name, view in self.P.items():
            self.P[name] = view.detach().requires_grad_()
            self.P[name].grad = self.G[name]

    def state(self):
        flat = self.p.detach().cpu()
        return {n: flat[at:at + math.prod(shape)].view(shape).clone() for n, (shape, _, at) in self.spec.items()}

    def load(self, state, only=None):
        with torch.no_grad():
            for name, value in state.items():
                if name in self.spec and (only is None or only(name)):
                    shape, _, at = self.spec[name]
                    self.p[at:at + math.prod(shape)].copy_(value.reshape(-1))
            self.b.copy_(self.p)

    def step(self, rate, decay=0.01, clip=1.0, beta1=0.9, beta2=0.98):
        """One AdamW step. Returns the gradient's norm; a step whose gradient is not finite is left out."""
        self.steps += 1
        fix1, fix2 = 1 / (1 - beta1 ** self.steps), 1 / (1 - beta2 ** self.steps)
        if self.device != "cpu":
            return self.step_here(rate, decay, clip, beta1, beta2, fix1, fix2)
        k = kernels()
        norm = math.sqrt(k.sum_of_squares(ptr(self.g), num(self.size)))
        if not math.isfinite(norm):
            self.g.zero_()
            return norm
        floats = (rate, beta1, beta2, fix1, fix2, decay, min(1.0, clip / (norm + 1e-9)))
        k.adam(ptr(self.p), ptr(self.g), ptr(self.m), ptr(self.v), ptr(self.b), num(self.size), *(num(float(x)) for x in floats))
        return norm

    @torch.no_grad()
    def step_here(self, rate, decay, clip, beta1, beta2, fix1, fix2):
        """The same with torch's operations, without waiting for the GPU. The norm stays there."""
        norm = self.g.norm()
        self.g.mul_((clip / (norm + 1e-9)).clamp(max=1.0)).nan_to_num_(0.0, 0.0, 0.0)
        self.m.lerp_(self.g, 1 - beta1)
        self.v.mul_(beta2).addcmul_(self.g, self.g, value=1 - beta2)
        self.p.mul_(1 - rate * decay).addcdiv_(self.m, (self.v * fix2).sqrt_().add_(1e-6), value=-rate * fix1)
        self.b.copy_(self.p)
        self.g.zero_()
        return norm


class Embed(torch.autograd.Function):
    @staticmethod
    def forward(ctx, tie, w, name, ids):
        out = torch.empty(ids.numel(), w.P[name].shape[1])
        kernels().embed(ptr(w.P[name]), ptr(ids), ptr(out), num(ids.numel()), small(out.shape[1]))
        ctx.args = w, name, ids
        return out

    @staticmethod
    def backward(ctx, grad):
        w, name, ids = ctx.args
        kernels().embed_back(ptr(w.G[name]), ptr(ids), ptr(grad.contiguous()), num(ids.numel()), small(grad.shape[1]))
        return None, None, None, None


class Linear(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, w, name):
        ctx.args = w, name
        ctx.save_for_backward(x)
        return product(x, w.B[name].t())

    @staticmethod
    def backward(ctx, grad):
        (x,), (w, name) = ctx.saved_tensors, ctx.args
        w.G[name].add_(product(grad.t(), x))
        return product(grad, w.B[name]), None, None


class AddNorm(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, delta, w, name):
        n, d = x.shape
        total, y = torch.empty(n, d), torch.empty(n, d, dtype=BF16)
        mean, scale = torch.empty(n), torch.empty(n)
        kernels().add_norm(ptr(total), ptr(x), ptr(delta), ptr(w.P[name + "g"]), ptr(w.P[name + "b"]), ptr(y), ptr(mean), ptr(scale),
                           num(n), small(d))
        ctx.args = w, name, delta is not None
        ctx.save_for_backward(total, mean, scale)
        return total, y

    @staticmethod
    def backward(ctx, past, grad):
        total, mean, scale = ctx.saved_tensors
        w, name, branch = ctx.args
        n, d = total.shape
        dx = torch.zeros(n, d) if past is None else past.contiguous().clone()
        dx16 = torch.empty(n, d, dtype=BF16)
        kernels().add_norm_back(ptr(total), ptr(grad.contiguous()), ptr(w.P[name + "g"]), ptr(mean), ptr(scale), ptr(dx), ptr(dx16),
                                ptr(w.G[name + "g"]), ptr(w.G[name + "b"]), num(n), small(d))
        return dx, dx16 if branch else None, None, None


class Gelu(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        y = torch.empty_like(x)
        kernels().gelu(ptr(x), ptr(y), num(x.numel()))
        ctx.save_for_backward(x)
        return y

    @staticmethod
    def backward(ctx, grad):
        (x,), grad = ctx.saved_tensors, grad.contiguous()
        out = torch.empty_like(x)
        kernels().gelu_back(ptr(x), ptr(grad), ptr(out), num(x.numel()))
        return out


_tables = {}


def rotary(t, e, device="cpu"):
    key = (t, e, str(device))
    if key not in _tables:
        angle = torch.arange(t).float()[:, None] * (10000 ** (-torch.arange(0, e, 2).float() / e))[None]
        _tables[key] = (angle.cos().contiguous().to(device), angle.sin().contiguous().to(device))
    return _tables[key]


class Attention(torch.autograd.Function):
    @staticmethod
    def forward(ctx, qkv, lengths, b, t, h):
        e = qkv.shape[1] // 3 // h
        cosine, sine = rotary(t, e)
        q, k, v = (torch.empty(b * h, t, e, dtype=BF16) for _ in range(3))
        shape = small(b), small(t), small(h), small(e)
        kernels().split_heads(ptr(qkv), ptr(q), ptr(k), ptr(v), ptr(cosine), ptr(sine), *shape, small(0))
        weights = product(q, k.transpose(1, 2))
        kernels().softmax(ptr(weights), ptr(lengths), small(b), small(h), small(t), num(float(e ** -0.5)))
        heads = product(weights, v)
        out = torch.empty(b * t, h * e, dtype=BF16)
        kernels().join_heads(ptr(heads), ptr(out), *shape, small(0))
        ctx.args = b, t, h, e
        ctx.save_for_backward(q, k, v, weights)
        return out

    @staticmethod
    def backward(ctx, grad):
        (q, k, v, weights), (b, t, h, e) = ctx.saved_tensors, ctx.args
        cosine, sine = rotary(t, e)
        shape = small(b), small(t), small(h), small(e)
        dheads = torch.empty(b * h, t, e, dtype=BF16)
        kernels().join_heads(ptr(dheads), ptr(grad.contiguous()), *shape, small(1))
        dv = product(weights.transpose(1, 2), dheads)
        dscores = product(dheads, v.transpose(1, 2))
        kernels().softmax_back(ptr(weights), ptr(dscores), small(b), small(h), small(t), num(float(e ** -0.5)))
        dq = product(dscores, k)
        dk = product(dscores.transpose(1, 2), q)
        dqkv = torch.empty(b * t, 3 * h * e, dtype=BF16)
        kernels().split_heads(ptr(dqkv), ptr(dq), ptr(dk), ptr(dv), ptr(cosine), ptr(sine), *shape, small(1))
        return dqkv, None, None, None, None


def turning(t, e, device):
    """What rotary() has, as wide as a head and shaped for [b,t,2,heads,e]: cosines, sines."""
    key = (t, e, str(device), "wide")
    if key not in _tables:
        cosine, sine = rotary(t, e)
        wide = (torch.cat([cosine, cosine], 1), torch.cat([-sine, sine], 1))
        _tables[key] = tuple(w.view(1, t, 1, 1, e).to(device) for w in wide)
    return _tables[key]


def plain_attention(qkv, mask, cosine, sine, b, t, h):
    """mask: bool [b,t], which tokens are real; None: all."""
    e = qkv.shape[1] // 3 // h
    x = qkv.view(b, t, 3, h, e)
    both = x[:, :, :2]
    q, k = (both * cosine + both.roll(e // 2, -1) * sine).to(x.dtype).permute(2, 0, 3, 1, 4)
    v, mask = x[:, :, 2].transpose(1, 2), None if mask is None else mask[:, None, None]
    if hasattr(F, "scaled_dot_product_attention"):
        out = F.scaled_dot_product_attention(q, k, v, None if mask is None else mask.expand(b, 1, t, t))
    else:
        scores = (q @ k.transpose(-1, -2)).float() * e ** -0.5
        out = (scores if mask is None else scores.masked_fill(~mask, -1e30)).softmax(-1).to(v.dtype) @ v
    return out.transpose(1, 2).reshape(b * t, h * e)


def plain_layer(x, mask, cosine, sine, b, t, h, n1g, n1b, qkv, out, n2g, n2b, up, down):
    y = F.layer_norm(x, x.shape[1:], n1g, n1b).to(BF16)
    x = x + F.linear(plain_attention(F.linear(y, qkv.to(BF16)), mask, cosine, sine, b, t, h), out.to(BF16))
    y = F.layer_norm(x, x.shape[1:], n2g, n2b).to(BF16)
    return x + F.linear(F.silu(F.linear(y, up.to(BF16)) * 1.702), down.to(BF16)) * (1 / 1.702)


class Encoder:
    """A pre-norm transformer with rotary positions. Weights are named PREFIX + layer + part. exit: also gives what is there after so many
    layers, through a norm of its own."""

    def __init__(self, weights, vocabulary, width, layers, heads, inner, prefix="", plain=None, exit=None):
        self.w, self.width, self.layers, self.heads, self.prefix, self.exit = weights, width, layers, heads, prefix, exit
        self.plain, self.layer = weights.device != "cpu" if plain is None else plain, plain_layer
        add, deep = weights.add, 1 / math.sqrt(2 * layers)
        add(prefix + "emb", (vocabulary, width), 0.05)
        for i in range(layers):
            at = f"{prefix}{i}."
            add(at + "qkv", (3 * width, width), width ** -0.5)
            add(at + "out", (width, width), width ** -0.5 * deep)
            add(at + "up", (inner, width), width ** -0.5)
            add(at + "down", (width, inner), inner ** -0.5 * deep)
            for norm in ("n1", "n2"):
                self.add_norm(at + norm)
        self.add_norm(prefix + "n")
        if exit:
            self.add_norm(prefix + "exit.")

    def add_norm(self, name):
        self.w.add(name + "g", (self.width,), "one")
        self.w.add(name + "b", (self.width,), 0)

    def __call__(self, ids, lengths=None):
        """ids int32 [b,t], lengths int32 [b] (None: all of t): the last norm's output [b*t, width], bfloat16, and that of the exit or None."""
        if self.plain:
            return self.run_plain(ids, lengths)
        return self.run(ids, torch.full((len(ids),), ids.shape[1], dtype=torch.int32) if lengths is None else lengths)

    def run(self, ids, lengths):
        (b, t), w, p = ids.shape, self.w, self.prefix
        x, delta = Embed.apply(torch.zeros(1, requires_grad=torch.is_grad_enabled()), w, p + "emb", ids.contiguous()), None
        early = None
        for i in range(self.layers):
            if i == self.exit:
                x, early = AddNorm.apply(x, delta, w, p + "exit.")
                delta = None
            at = f"{p}{i}."
            x, y = AddNorm.apply(x, delta, w, at + "n1")
            y = Attention.apply(Linear.apply(y, w, at + "qkv"), lengths, b, t, self.heads)
            x, y = AddNorm.apply(x, Linear.apply(y, w, at + "out"), w, at + "n2")
            delta = Linear.apply(Gelu.apply(Linear.apply(y, w, at + "up")), w, at + "down")
        return AddNorm.apply(x, delta, w, p + "n")[1], early

    def run_plain(self, ids, lengths):
        (b, t), p, get = ids.shape, self.prefix, self.w.P
        mask = None if lengths is None else torch.arange(t, device=ids.device)[None] < lengths[:, None]
        turn = turning(t, self.width // self.heads, ids.device)

        def norm(x, name):
            return F.layer_norm(x, (self.width,), get[name + "g"], get[name + "b"]).to(BF16)

        x, early = F.embedding(ids.reshape(-1).long(), get[p + "emb"]), None
        for i in range(self.layers):
            if i == self.exit:
                early = norm(x, p + "exit.")
            weights = (get[f"{p}{i}.{part}"] for part in ("n1g", "n1b", "qkv", "out", "n2g", "n2b", "up", "down"))
            x = self.layer(x, mask, *turn, b, t, self.heads, *weights)
        return norm(x, p + "n"), early


def check():
    """The kernels against autograd: relative error of each weight's gradient."""
    ids, lengths = torch.randint(0, 100, (3, 16)).int(), torch.tensor([16, 10, 16]).int()
    toward, early = torch.randn(48, 64), torch.randn(48, 64)
    toward.view(3, 16, 64)[1, 10:] = early.view(3, 16, 64)[1, 10:] = 0
    grads = []
    for plain in (False, True):
        w = Weights()
        encoder = Encoder(w, 100, 64, 2, 2, 128, plain=plain, exit=1)
        w.build(torch.Generator().manual_seed(1))
        if plain:
            w.seen_by_autograd()
        last, first = encoder(ids, lengths)
        (last.float() * toward + first.float() * early).sum().backward()
        grads.append(w.g)
    worst = 0
    for name, (shape, _, at) in w.spec.items():
        a, b = (g[at:at + math.prod(shape)] for g in grads)
        worst = max(worst, float((a - b).norm() / (b.norm() + 1e-9)))
    print(f"largest relative error of a gradient: {worst:.4f}")
    return worst


if __name__ == "__main__":
    assert check() < 0.05
