/*
 * vdt_scan_turns: an attack that is spread over the turns of a conversation, none of which says enough alone.
 *
 * The last turns are read as one text, a line each. What one turn says by itself is not for here: vdt_scan() has said it.
 */
#include "base/arena.h"
#include "engine/scanner.h"

enum { TURNS_MAX = 16, JOINED_MAX = 8192 };

/* Bytes of the joined text: a line, or nothing for a turn of nothing. */
static size_t line_of(const struct vdt_text *turn)
{
  return turn->n ? turn->n + 1 : 0;
}

/* The first of the turns that are read: the last ones, as many as fit. */
static size_t first_turn(const struct vdt_text *turns, size_t n, size_t *bytes)
{
  size_t from = n;
  *bytes = 0;
  while (from > 0 && n - from < TURNS_MAX && *bytes + line_of(&turns[from - 1]) <= JOINED_MAX) *bytes += line_of(&turns[--from]);
  return from;
}

/* From the joined text to the turn that it begins in; what reaches into the next is cut off. */
static void locate(const struct vdt_text *turns, size_t from, struct vdt_finding *f, size_t *turn)
{
  uint64_t at = 0;
  size_t i = from;
  while (f->start >= at + line_of(&turns[i])) at += line_of(&turns[i++]);
  f->start -= at;
  f->end -= at;
  if (f->end > turns[i].n) f->end = turns[i].n;
  if (f->start > f->end) f->start = f->end;
  *turn = i;
}

int vdt_scan_turns(struct vdt_scanner *scanner, struct vdt_arena *arena, const struct vdt_policy *policy,
                   const struct vdt_text *turns, size_t n, struct vdt_result *out, size_t **turn)
{
  size_t bytes, from = first_turn(turns, n, &bytes);
  *out = (struct vdt_result){0};
  *turn = NULL;
  if (n - from < 2 || !bytes) return VDT_OK;
  struct vdt_policy only = *policy;
  only.credential = only.sensitive = only.malicious_url = (struct vdt_leak_policy){0};
  only.reconnaissance.action = VDT_ALLOW;
  only.bound = NULL;
  only.hidden_text.action = VDT_ALLOW;
  only.phrases = (struct vdt_phrases){0};
  char *joined = arena_alloc(arena, bytes);
  if (!joined) return VDT_ENOMEM;
  size_t at = 0;
  for (size_t i = from; i < n; i++) {
    if (!turns[i].n) continue;
    memcpy(joined + at, turns[i].p, turns[i].n);
    at += turns[i].n;
    joined[at++] = '\n';
  }
  int rc = vdt_scan(scanner, arena, &only, VDT_PROMPT, joined, at, out);
  if (rc) return rc;
  *turn = arena_alloc(arena, (out->n_findings + 1) * sizeof **turn);
  if (!*turn) return VDT_ENOMEM;
  for (size_t i = 0; i < out->n_findings; i++) locate(turns, from, &out->findings[i], &(*turn)[i]);
  return VDT_OK;
}
