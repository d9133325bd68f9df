/*
 * vdt_scan_turns: an attack that is spread over the turns of a conversation, none of which says enough alone.
 *
 * The last turns are read as one text, a line each; pieces of one turn that were parted in the middle of a word stand in one line. What one
 * text says by itself is not for here: vdt_scan() has said it.
 */
#include "base/arena.h"
#include "engine/scanner.h"

enum { TURNS_MAX = 16, JOINED_MAX = 8192 };

struct turns {
  const struct vdt_text *texts;
  size_t n, from; /* texts from `from` on are read */
  bool join;      /* pieces of one turn stand in one line */
};

/* Bytes of the joined text: a line, its end belonging to the last piece of it, or nothing for a text of nothing. */
static size_t line_of(const struct turns *t, size_t i)
{
  bool goes_on = t->join && i + 1 < t->n && t->texts[i + 1].joined;
  return t->texts[i].n ? t->texts[i].n + !goes_on : 0;
}

/* Finds the first of the texts that are read: of the last turns as many as fit, and their pieces. Returns the bytes that they take. */
static size_t choose(struct turns *t)
{
  size_t bytes = 0;
  t->from = t->n;
  for (size_t lines = 0; t->from > 0; t->from--) {
    size_t line = line_of(t, t->from - 1);
    lines += t->from == t->n || !t->texts[t->from].joined;
    if (lines > TURNS_MAX || bytes + line > JOINED_MAX) break;
    bytes += line;
  }
  return bytes;
}

/* From the joined text to the piece that it begins in; what reaches into the next is cut off. */
static size_t locate(const struct turns *t, struct vdt_finding *f)
{
  uint64_t at = 0;
  size_t i = t->from;
  while (i + 1 < t->n && f->start >= at + line_of(t, i)) at += line_of(t, i++);
  f->start -= at;
  f->end -= at;
  if (f->end > t->texts[i].n) f->end = t->texts[i].n;
  if (f->start > f->end) f->start = f->end;
  return i;
}

static struct vdt_policy policy_for(const struct vdt_policy *policy)
{
  struct vdt_policy only = *policy;
  only.credential = only.sensitive = only.malicious_url = (struct vdt_leak_policy){0};
  only.reconnaissance.action = VDT_ALLOW;
  only.bound = NULL;
  only.hidden_text.action = VDT_ALLOW;
  only.phrases = (struct vdt_phrases){0};
  return only;
}

static int read_turns(struct turns *t, struct vdt_scanner *scanner, struct vdt_arena *arena, const struct vdt_policy *policy,
                      struct vdt_result *out, size_t **turn)
{
  size_t bytes = choose(t), at = 0;
  *out = (struct vdt_result){0};
  *turn = NULL;
  if (t->n - t->from < 2 || !bytes) return VDT_OK;
  char *joined = arena_alloc(arena, bytes + 1);
  if (!joined) return VDT_ENOMEM;
  for (size_t i = t->from; i < t->n; i++) {
    if (!t->texts[i].n) continue;
    memcpy(joined + at, t->texts[i].p, t->texts[i].n);
    joined[at + t->texts[i].n] = '\n'; /* or what comes next */
    at += line_of(t, i);
  }
  int rc = vdt_scan(scanner, arena, policy, VDT_PROMPT, joined, at, out);
  if (rc) return rc;
  *turn = arena_alloc(arena, (out->n_findings + 1) * sizeof **turn);
  if (!*turn) return VDT_ENOMEM;
  for (size_t i = 0; i < out->n_findings; i++) (*turn)[i] = locate(t, &out->findings[i]);
  return VDT_OK;
}

/* What is decoded has the place of all that it was decoded from. */
static bool has_its_place(const struct vdt_result *r)
{
  return r->n_findings && !r->findings[0].n_layers;
}

/* Pieces may have been parted in the middle of words or between them: nobody but the model knows how it puts them together. Where both readings say
 * as much, the one counts whose findings have a place of their own. */
int vdt_scan_turns(struct vdt_scanner *scanner, struct vdt_arena *arena, const struct vdt_policy *policy,
                   const struct vdt_text *turns, size_t n, struct vdt_result *out, size_t **turn)
{
  struct vdt_policy only = policy_for(policy);
  struct turns t = {turns, n, 0, false};
  bool pieces = false;
  for (size_t i = 0; i < n; i++) pieces |= turns[i].joined;
  int rc = read_turns(&t, scanner, arena, &only, out, turn);
  if (rc || !pieces) return rc;
  struct vdt_result parted = *out;
  size_t *parted_turn = *turn;
  t.join = true;
  rc = read_turns(&t, scanner, arena, &only, out, turn);
  bool says_less = out->jailbreak<parted.jailbreak, says_more = out->jailbreak> parted.jailbreak;
  if (rc || says_more || (!says_less && (has_its_place(out) || !has_its_place(&parted)))) return rc;
  *out = parted;
  *turn = parted_turn;
  return VDT_OK;
}
