/*
 * What is different between then and now. Findings of the detectors that give a score (jailbreak, indirect) are one thing each, whatever rules
 * carried it; those of the others are one thing per kind. How often a thing was found does not count.
 */
#include "cli/replay.h"

const char *replay_change_name(enum replay_change change)
{
  static const char *const names[] = {"same", "stricter", "looser", "other"};
  return names[change];
}

static bool same_thing(const struct replay_found *a, const struct replay_found *b)
{
  bool score = str_eq(a->detector, STR("jailbreak")) || str_eq(a->detector, STR("indirect"));
  return str_eq(a->detector, b->detector) && (score || str_eq(a->kind, b->kind));
}

/* The strongest of the thing that a finding is, or NULL. */
static const struct replay_found *find(const struct replay_side *side, const struct replay_found *thing)
{
  const struct replay_found *best = NULL;
  for (size_t i = 0; i < side->n; i++)
    if (same_thing(&side->found[i], thing) && (!best || side->found[i].action > best->action)) best = &side->found[i];
  return best;
}

/* Each thing is told once: by its strongest finding. */
static bool speaks(const struct replay_side *side, size_t i)
{
  return find(side, &side->found[i]) == &side->found[i];
}

static unsigned strictness(enum record_verdict v)
{
  static const unsigned of[] = {[RECORD_VERDICT_ALLOW] = 0,    [RECORD_VERDICT_NOT_INSPECTED] = 0, [RECORD_VERDICT_DETECTED] = 1,
                                [RECORD_VERDICT_REDACTED] = 2, [RECORD_VERDICT_CUT] = 3,           [RECORD_VERDICT_BLOCKED] = 4};
  return of[v];
}

enum replay_change replay_compare(const struct replay_side *before, const struct replay_side *now)
{
  unsigned a = strictness(before->verdict), b = strictness(now->verdict), more = 0, less = 0;
  if (before->coarse && b > 1) b = 1;
  if (before->verdict_only) return a == b ? REPLAY_SAME : b > a ? REPLAY_STRICTER : REPLAY_LOOSER;
  for (size_t i = 0; i < now->n; i++) {
    const struct replay_found *was = find(before, &now->found[i]);
    more += speaks(now, i) && (!was || was->action < now->found[i].action);
    less += speaks(now, i) && was && was->action > now->found[i].action;
  }
  for (size_t i = 0; i < before->n; i++) less += !find(now, &before->found[i]);
  if (a != b) return b > a ? REPLAY_STRICTER : REPLAY_LOOSER;
  if (more && less) return REPLAY_OTHER;
  return more ? REPLAY_STRICTER : less ? REPLAY_LOOSER : REPLAY_SAME;
}

/* ---- writing ---------------------------------------------------------------------------------------------------- */

static void put_member(struct buf *b, const char *name, struct str value)
{
  if (!value.n) return;
  buf_printf(b, ",\"%s\":", name);
  json_quote(b, value);
}

static void put_found(struct buf *b, const struct replay_found *f, const struct replay_found *was)
{
  BUF_LIT(b, "{\"detector\":");
  json_quote(b, f->detector);
  put_member(b, "kind", f->kind);
  put_member(b, "alert", f->alert);
  put_member(b, "severity", f->severity);
  if (was) buf_printf(b, ",\"was\":\"%s\"", vdt_action_name(was->action));
  buf_printf(b, ",\"action\":\"%s\"", vdt_action_name(f->action));
  put_member(b, "reason", f->reason);
  buf_byte(b, '}');
}

void replay_put_side(struct buf *b, const struct replay_side *side)
{
  bool first = true;
  buf_printf(b, "{\"verdict\":\"%s\",\"findings\":[", record_verdict_name(side->verdict));
  for (size_t i = 0; i < side->n; i++) {
    if (!speaks(side, i)) continue;
    if (!first) buf_byte(b, ',');
    first = false;
    put_found(b, &side->found[i], NULL);
  }
  BUF_LIT(b, "]}");
}

/* The things of one side that the other has not. */
static void put_missing(struct buf *b, const struct replay_side *of, const struct replay_side *in)
{
  bool first = true;
  for (size_t i = 0; i < of->n; i++) {
    if (!speaks(of, i) || find(in, &of->found[i])) continue;
    if (!first) buf_byte(b, ',');
    first = false;
    put_found(b, &of->found[i], NULL);
  }
}

static void put_changed(struct buf *b, const struct replay_side *before, const struct replay_side *now)
{
  bool first = true;
  for (size_t i = 0; i < now->n; i++) {
    const struct replay_found *was = find(before, &now->found[i]);
    if (!speaks(now, i) || !was || was->action == now->found[i].action) continue;
    if (!first) buf_byte(b, ',');
    first = false;
    put_found(b, &now->found[i], was);
  }
}

void replay_put_difference(struct buf *b, const struct replay_side *before, const struct replay_side *now)
{
  BUF_LIT(b, "\"added\":[");
  put_missing(b, now, before);
  BUF_LIT(b, "],\"removed\":[");
  put_missing(b, before, now);
  BUF_LIT(b, "],\"changed\":[");
  put_changed(b, before, now);
  BUF_LIT(b, "]");
}
