/*
 * The training kernels: everything between two matrix products, forward and backward, for bfloat16 activations on a CPU. torch 1.13
 * multiplies bfloat16 matrices well there and does everything else slowly; these loops are memory-bound instead.
 *
 * Called by ops.py through ctypes, which checks shapes and owns all memory. Built by ops.py with -Ofast, so sums may be reordered:
 * training is not bit-reproducible between machines. Nothing here is part of the product.
 *
 * Names: n rows of d numbers; b batches of t tokens with h heads of e numbers; lengths[b] tokens of a batch are real, the rest padding.
 */
#include <math.h>
#include <omp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef uint16_t bf16;

static inline float wide(bf16 x)
{
  union {
    uint32_t i;
    float f;
  } u = {.i = (uint32_t)x << 16};
  return u.f;
}

static inline bf16 narrow(float x)
{
  union {
    float f;
    uint32_t i;
  } u = {.f = x};
  return (bf16)((u.i + 0x7fff + ((u.i >> 16) & 1)) >> 16);
}

/* sum = x + delta (delta may be NULL); y = LayerNorm(sum) * gain + bias. mean and scale are kept for the way back. */
void add_norm(float *sum, const float *x, const bf16 *delta, const float *gain, const float *bias, bf16 *y, float *mean,
              float *scale, long n, int d)
{
#pragma omp parallel for schedule(static)
  for (long i = 0; i < n; i++) {
    const float *in = x + i * d;
    float *s = sum + i * d, total = 0, square = 0;
    if (delta)
      for (int j = 0; j < d; j++) s[j] = in[j] + wide(delta[i * d + j]);
    else memcpy(s, in, (size_t)d * sizeof *s);
    for (int j = 0; j < d; j++) total += s[j];
    float m = total / (float)d;
    for (int j = 0; j < d; j++) square += (s[j] - m) * (s[j] - m);
    float r = 1.f / sqrtf(square / (float)d + 1e-5f);
    mean[i] = m;
    scale[i] = r;
    for (int j = 0; j < d; j++) y[i * d + j] = narrow((s[j] - m) * r * gain[j] + bias[j]);
  }
}

/* dx (in: the gradient that comes past the norm) += the gradient through it; dx16 is its copy for the branch that was added. */
void add_norm_back(const float *sum, const bf16 *dy, const float *gain, const float *mean, const float *scale, float *dx,
                   bf16 *dx16, float *dgain, float *dbias, long n, int d)
{
  int threads = omp_get_max_threads();
  float *parts = calloc((size_t)threads * 2 * (size_t)d, sizeof *parts);
#pragma omp parallel for schedule(static)
  for (long i = 0; i < n; i++) {
    float *dg = parts + (long)omp_get_thread_num() * 2 * d, *db = dg + d;
    const float *s = sum + i * d;
    const bf16 *g = dy + i * d;
    float m = mean[i], r = scale[i], a = 0, b = 0;
    for (int j = 0; j < d; j++) {
      float v = wide(g[j]), unit = (s[j] - m) * r, e = v * gain[j];
      dg[j] += v * unit;
      db[j] += v;
      a += e;
      b += e * unit;
    }
    a /= (float)d;
    b /= (float)d;
    for (int j = 0; j < d; j++) {
      float unit = (s[j] - m) * r, v = dx[i * d + j] + r * (wide(g[j]) * gain[j] - a - unit * b);
      dx[i * d + j] = v;
      dx16[i * d + j] = narrow(v);
    }
  }
  for (int t = 0; t < threads; t++)
    for (int j = 0; j < d; j++) {
      dgain[j] += parts[(long)t * 2 * d + j];
      dbias[j] += parts[(long)t * 2 * d + d + j];
    }
  free(parts);
}

/* x * sigmoid(1.702 x), the sigmoid form of GELU. */
void gelu(const bf16 *x, bf16 *y, long n)
{
#pragma omp parallel for simd schedule(static)
  for (long i = 0; i < n; i++) {
    float v = wide(x[i]);
    y[i] = narrow(v / (1.f + expf(-1.702f * v)));
  }
}

void gelu_back(const bf16 *x, const bf16 *dy, bf16 *dx, long n)
{
#pragma omp parallel for simd schedule(static)
  for (long i = 0; i < n; i++) {
    float v = wide(x[i]), s = 1.f / (1.f + expf(-1.702f * v));
    dx[i] = narrow(wide(dy[i]) * (s + 1.702f * v * s * (1.f - s)));
  }
}

/* From qkv [b,t,3,h,e] to q, k, v [b,h,t,e], with rotary positions on q and k; back: the other way, rotated back. */
void split_heads(bf16 *qkv, bf16 *q, bf16 *k, bf16 *v, const float *cosine, const float *sine, int b, int t, int h, int e,
                 int back)
{
  bf16 *heads[3] = {q, k, v};
  int half = e / 2;
#pragma omp parallel for collapse(2) schedule(static)
  for (int i = 0; i < b; i++)
    for (int p = 0; p < t; p++) {
      bf16 *row = qkv + ((long)i * t + p) * 3 * h * e;
      const float *c = cosine + p * half, *s = sine + p * half;
      for (int w = 0; w < 3; w++)
        for (int j = 0; j < h; j++) {
          bf16 *one = row + (w * h + j) * e, *two = heads[w] + (((long)i * h + j) * t + p) * e;
          if (w == 2) {
            memcpy(back ? one : two, back ? two : one, (size_t)e * sizeof *one);
          } else if (back) {
            for (int x = 0; x < half; x++) {
              float l = wide(two[x]), r = wide(two[x + half]);
              one[x] = narrow(l * c[x] + r * s[x]);
              one[x + half] = narrow(r * c[x] - l * s[x]);
            }
          } else {
            for (int x = 0; x < half; x++) {
              float l = wide(one[x]), r = wide(one[x + half]);
              two[x] = narrow(l * c[x] - r * s[x]);
              two[x + half] = narrow(l * s[x] + r * c[x]);
            }
          }
        }
    }
}

/* [b,h,t,e] to [b,t,h,e]; back: the other way. */
void join_heads(bf16 *heads, bf16 *rows, int b, int t, int h, int e, int back)
{
#pragma omp parallel for collapse(2) schedule(static)
  for (int i = 0; i < b; i++)
    for (int p = 0; p < t; p++)
      for (int j = 0; j < h; j++) {
        bf16 *one = heads + (((long)i * h + j) * t + p) * e, *two = rows + (((long)i * t + p) * h + j) * e;
        memcpy(back ? one : two, back ? two : one, (size_t)e * sizeof *one);
      }
}

/* In place: rows of attention scores [b,h,t,t] become weights; padding gets none. */
void softmax(bf16 *scores, const int *lengths, int b, int h, int t, float scale)
{
#pragma omp parallel
  {
    float *e = malloc((size_t)t * sizeof *e);
#pragma omp for schedule(static)
    for (long row = 0; row < (long)b * h * t; row++) {
      int n = lengths[row / ((long)h * t)];
      bf16 *s = scores + row * t;
      float most = -1e30f, total = 0;
      for (int j = 0; j < n; j++) {
        e[j] = wide(s[j]) * scale;
        most = e[j] > most ? e[j] : most;
      }
      for (int j = 0; j < n; j++) {
        e[j] = expf(e[j] - most);
        total += e[j];
      }
      for (int j = 0; j < n; j++) s[j] = narrow(e[j] / total);
      for (int j = n; j < t; j++) s[j] = 0;
    }
    free(e);
  }
}

/* In place: the gradient of the weights becomes that of the scores. */
void softmax_back(const bf16 *weights, bf16 *grad, int b, int h, int t, float scale)
{
#pragma omp parallel for schedule(static)
  for (long row = 0; row < (long)b * h * t; row++) {
    const bf16 *w = weights + row * t;
    bf16 *g = grad + row * t;
    float dot = 0;
    for (int j = 0; j < t; j++) dot += wide(w[j]) * wide(g[j]);
    for (int j = 0; j < t; j++) g[j] = narrow(wide(w[j]) * (wide(g[j]) - dot) * scale);
  }
}

/* Cross-entropy of logits [n,v] against targets, with a draw from the predicted distribution (uniform[n] decides). The logits become
 * their gradient times `grad`. Returns the sum of the losses. */
double cross_entropy(bf16 *logits, const int *targets, const float *uniform, int *drawn, long n, int v, float grad)
{
  double loss = 0;
#pragma omp parallel for schedule(static) reduction(+ : loss)
  for (long i = 0; i < n; i++) {
    bf16 *z = logits + i * v;
    float most = -1e30f, total = 0, chunks[1024], target = wide(z[targets[i]]);
    int step = (v + 1023) / 1024, n_chunks = (v + step - 1) / step;
    for (int j = 0; j < v; j++) most = wide(z[j]) > most ? wide(z[j]) : most;
    for (int k = 0; k < n_chunks; k++) {
      int end = (k + 1) * step < v ? (k + 1) * step : v;
      float part = 0;
      for (int j = k * step; j < end; j++) {
        float e = expf(wide(z[j]) - most);
        part += e;
        z[j] = narrow(e);
      }
      chunks[k] = part;
      total += part;
    }
    loss += logf(total) + most - target;
    float left = uniform[i] * total;
    int k = 0;
    while (k < n_chunks - 1 && left > chunks[k]) left -= chunks[k++];
    int j = k * step, end = (k + 1) * step < v ? (k + 1) * step : v;
    while (j < end - 1 && (left -= wide(z[j])) > 0) j++;
    drawn[i] = j;
    float g = grad / total;
    for (int q = 0; q < v; q++) z[q] = narrow(wide(z[q]) * g);
    z[targets[i]] = narrow(wide(z[targets[i]]) - grad);
  }
  return loss;
}

void embed(const float *table, const int *ids, float *rows, long n, int d)
{
#pragma omp parallel for schedule(static)
  for (long i = 0; i < n; i++) memcpy(rows + i * d, table + (long)ids[i] * d, (size_t)d * sizeof *rows);
}

/* Each thread owns the rows of the table whose number modulo the threads is its own: no two add to one. */
void embed_back(float *table, const int *ids, const float *rows, long n, int d)
{
#pragma omp parallel
  {
    int threads = omp_get_num_threads(), own = omp_get_thread_num();
    for (long i = 0; i < n; i++) {
      if (ids[i] % threads != own) continue;
      float *to = table + (long)ids[i] * d;
      for (int j = 0; j < d; j++) to[j] += rows[i * d + j];
    }
  }
}

/* AdamW in one pass: clears the gradient and writes the bfloat16 copy. fix1, fix2: bias corrections; clip scales the gradient. */
void adam(float *p, float *grad, float *first, float *second, bf16 *copy, long n, float rate, float beta1, float beta2,
          float fix1, float fix2, float decay, float clip)
{
#pragma omp parallel for simd schedule(static)
  for (long i = 0; i < n; i++) {
    float g = grad[i] * clip;
    float m = first[i] = beta1 * first[i] + (1 - beta1) * g;
    float s = second[i] = beta2 * second[i] + (1 - beta2) * g * g;
    float x = p[i] - rate * (m * fix1 / (sqrtf(s * fix2) + 1e-6f) + decay * p[i]);
    p[i] = x;
    grad[i] = 0;
    copy[i] = narrow(x);
  }
}

double sum_of_squares(const float *x, long n)
{
  double total = 0;
#pragma omp parallel for schedule(static) reduction(+ : total)
  for (long k = 0; k < n; k += 4096) {
    float part = 0;
    long end = k + 4096 < n ? k + 4096 : n;
    for (long i = k; i < end; i++) part += x[i] * x[i];
    total += part;
  }
  return total;
}
