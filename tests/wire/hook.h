/*
 * A hook for tests that behaves like a stream scanner does: it holds text back and releases it later.
 *
 * A capital word made of X is masked: "[X]" stands for it. The hook holds back a run of X until it ends. "CUT" ends the
 * choice before it, "BLOCK" blocks it; to see either across pieces, a text's tail that may begin one is held back.
 */
#ifndef TESTS_WIRE_HOOK_H
#define TESTS_WIRE_HOOK_H
#include "wire/wire.h"
#include "../test.h"

/* One channel's text. */
struct held {
  struct buf in, out; /* not yet decided; released by this call */
  bool cut, last;
  struct held *next;
};

struct hook {
  struct held *all;
  struct buf seen; /* "origin=text;" of every call, last marked with a bar */
  struct wire_choice_shield shield;
  bool masked; /* anything yet */
};

/* Longest end of s that may be the beginning of a word or is a run of X. */
static size_t undecided(struct str s)
{
  static const struct str words[] = {{"CUT", 3}, {"BLOCK", 5}};
  for (size_t from = s.n > 5 ? s.n - 5 : 0; from < s.n; from++)
    for (size_t w = 0; w < 2; w++)
      if (s.n - from < words[w].n && memcmp(s.p + from, words[w].p, s.n - from) == 0) return s.n - from;
  size_t n = 0;
  while (n < s.n && s.p[s.n - 1 - n] == 'X') n++;
  return n;
}

/* Releases the first n bytes, masked. */
static bool release(struct held *h, size_t n)
{
  bool masked = false;
  for (size_t i = 0; i < n; i++) {
    if (h->in.p[i] != 'X') {
      buf_byte(&h->out, h->in.p[i]);
      continue;
    }
    if (i == 0 || h->in.p[i - 1] != 'X') BUF_LIT(&h->out, "[X]");
    masked = true;
  }
  buf_drop(&h->in, n);
  return masked;
}

static struct held *held_of(struct hook *hook, struct wire_channel *channel)
{
  if (channel->user) return channel->user;
  struct held *h = calloc(1, sizeof *h);
  if (!h) abort();
  h->next = hook->all;
  hook->all = h;
  return channel->user = h;
}

static int hook_text(void *ctx, struct wire_channel *channel, struct str in, bool last, struct wire_text *out)
{
  struct hook *hook = ctx;
  struct held *h = held_of(hook, channel);
  if (h->cut || h->last) abort(); /* nothing may come after the end */
  h->last = last;
  buf_printf(&hook->seen, "%s=%.*s%s;", channel->origin, (int)in.n, in.n ? in.p : "", last ? "|" : "");
  buf_reset(&h->out);
  bool held_before = h->in.n > 0;
  buf_put(&h->in, in);
  struct str all = h->in.n ? buf_str(&h->in) : STR("");
  size_t cut = str_find(all, STR("CUT")), block = str_find(all, STR("BLOCK"));
  size_t end = cut < block ? cut : block;
  h->cut = end != (size_t)-1;
  size_t n = h->cut ? end : last ? all.n : all.n - undecided(all);
  bool masked = release(h, n);
  hook->masked |= masked;
  *out = (struct wire_text){.p = h->out.n ? buf_str(&h->out) : STR("")};
  out->changed = held_before || masked || h->cut || h->in.n > 0;
  out->cut = h->cut && end == cut;
  out->block = h->cut && end == block;
  return VDT_OK;
}

static void hook_choice_shield(void *ctx, unsigned choice, struct wire_choice_shield *out)
{
  (void)choice;
  *out = ((struct hook *)ctx)->shield;
}

static void hook_finish(struct hook *hook)
{
  while (hook->all) {
    struct held *h = hook->all;
    hook->all = h->next;
    buf_finish(&h->in);
    buf_finish(&h->out);
    free(h);
  }
  buf_finish(&hook->seen);
}

static inline struct wire_hooks hook_of(struct hook *hook)
{
  return (struct wire_hooks){.ctx = hook, .text = hook_text, .choice_shield = hook_choice_shield};
}
#endif
