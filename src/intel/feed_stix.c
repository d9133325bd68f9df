/*
 * STIX 2.1 (OASIS): a bundle of objects; of these the indicators count, and of their patterns the comparisons of values.
 *
 * A pattern that needs two things at once ("[a AND b]", FOLLOWEDBY, NOT) says less about each of them than a list can, so it is left out, and
 * counted. OR and IN are taken apart.
 */
#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "intel/feed.h"

enum { NODES_MAX = 16 << 20, DEPTH_MAX = 32 };

/* ---- patterns --------------------------------------------------------------------------------------------------- */

struct pattern {
  struct str text;
  size_t at;
};

static void skip_blanks(struct pattern *p)
{
  while (p->at < p->text.n && ((unsigned char)p->text.p[p->at] <= ' ' || p->text.p[p->at] == '(' || p->text.p[p->at] == ')' ||
                               p->text.p[p->at] == '[' || p->text.p[p->at] == ']'))
    p->at++;
}

/* A word up to a blank or a bracket. */
static struct str word(struct pattern *p)
{
  size_t start;
  skip_blanks(p);
  start = p->at;
  while (p->at < p->text.n && (unsigned char)p->text.p[p->at] > ' ' && !memchr("()[]='!<>,", p->text.p[p->at], 10)) p->at++;
  return str_cut(p->text, start, p->at);
}

/* 'a value', with \' and \\; into buf. False when there is none. */
static bool literal(struct pattern *p, char *buf, size_t max, struct str *out)
{
  size_t n = 0;
  if (p->at >= p->text.n || p->text.p[p->at] != '\'') return false;
  for (p->at++; p->at < p->text.n && p->text.p[p->at] != '\''; p->at++) {
    if (p->text.p[p->at] == '\\' && p->at + 1 < p->text.n) p->at++;
    if (n == max) return false;
    buf[n++] = p->text.p[p->at];
  }
  if (p->at >= p->text.n) return false;
  p->at++;
  *out = (struct str){buf, n};
  return true;
}

static bool is_wanted(struct str path)
{
  static const struct str paths[] = {STR("ipv4-addr:value"), STR("ipv6-addr:value"), STR("domain-name:value"), STR("url:value")};
  for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
    if (str_eq(path, paths[i])) return true;
  return false;
}

/* "=", "IN", "ISSUBSET"; 0 for what a list cannot say. */
static int operator_of(struct pattern *p)
{
  skip_blanks(p);
  if (p->at < p->text.n && p->text.p[p->at] == '=') {
    p->at += p->at + 1 < p->text.n && p->text.p[p->at + 1] == '=' ? 2 : 1;
    return '=';
  }
  struct str w = word(p);
  return str_ieq(w, STR("IN")) ? 'I' : str_ieq(w, STR("ISSUBSET")) ? '=' : 0;
}

/* The values of one comparison, each an indicator. *more: behind IN others follow. */
static int values(struct feed *f, struct pattern *p, bool list, unsigned object, bool *ok)
{
  char buf[INDICATOR_MAX];
  struct str value;
  do {
    skip_blanks(p);
    if (!literal(p, buf, sizeof buf, &value)) {
      *ok = false;
      return VDT_OK;
    }
    int rc = feed_take(f, value, object);
    if (rc) return rc;
    while (list && p->at < p->text.n && (p->text.p[p->at] == ' ' || p->text.p[p->at] == '\t')) p->at++;
  } while (list && p->at < p->text.n && p->text.p[p->at++] == ',');
  return VDT_OK;
}

/* Does it need more than one thing, outside its literals? */
static bool is_joined(struct str s)
{
  for (size_t i = 0; i < s.n; i++) {
    if (s.p[i] == '\'') {
      for (i++; i < s.n && s.p[i] != '\''; i++) i += s.p[i] == '\\';
    } else if (i && s.p[i - 1] == ' ' &&
               (str_starts(str_cut(s, i, s.n), STR("AND ")) || str_starts(str_cut(s, i, s.n), STR("FOLLOWEDBY ")) ||
                str_starts(str_cut(s, i, s.n), STR("NOT ")))) {
      return true;
    }
  }
  return false;
}

static void unreadable(struct feed *f, unsigned object)
{
  f->report->unreadable++;
  if (!f->report->first_line) f->report->first_line = object;
}

static int read_pattern(struct feed *f, struct str text, unsigned object)
{
  struct pattern p = {text, 0};
  if (is_joined(text)) {
    f->report->ignored++;
    return VDT_OK;
  }
  for (;;) {
    struct str path = word(&p);
    bool ok = true;
    if (!is_wanted(path)) {
      if (path.n && memchr(path.p, ':', path.n)) f->report->ignored++; /* a file's hash, a mutex ... */
      else unreadable(f, object);
      return VDT_OK;
    }
    int op = operator_of(&p), rc = VDT_OK;
    if (op) rc = values(f, &p, op == 'I', object, &ok);
    else f->report->ignored++;
    if (!ok) unreadable(f, object);
    if (rc || !ok || !op) return rc;
    skip_blanks(&p);
    if (p.at == p.text.n || !str_ieq(word(&p), STR("OR"))) return VDT_OK; /* what may follow: WITHIN, REPEATS, START */
  }
}

/* ---- objects ---------------------------------------------------------------------------------------------------- */

static bool is_over(struct feed *f, const struct json_doc *d, uint32_t o, struct vdt_arena *arena)
{
  struct str until;
  if (json_is(d, json_get(d, o, "revoked"), JSON_TRUE)) return true;
  if (!json_string(d, json_get(d, o, "valid_until"), arena, &until) || !until.n) return false;
  uint64_t us = clock_parse(until.p, until.n);
  return us && us < f->how->now_us;
}

static int read_object(struct feed *f, const struct json_doc *d, uint32_t o, unsigned number, struct vdt_arena *arena)
{
  struct str pattern, type;
  uint32_t kind = json_get(d, o, "pattern_type");
  if (!json_is(d, o, JSON_OBJECT) || !json_is(d, json_get(d, o, "type"), JSON_STRING)) {
    unreadable(f, number);
    return VDT_OK;
  }
  if (!json_string_is(d, json_get(d, o, "type"), "indicator")) return VDT_OK; /* relations, authors, markings */
  if (!json_string(d, json_get(d, o, "pattern"), arena, &pattern) || !json_string(d, kind, arena, &type))
    return error_set(f->err, VDT_ENOMEM, "out of memory");
  if (is_over(f, d, o, arena) || (kind && !str_eq(type, STR("stix")))) {
    f->report->ignored++;
    return VDT_OK;
  }
  if (!pattern.n) {
    unreadable(f, number);
    return VDT_OK;
  }
  return read_pattern(f, pattern, number);
}

static int read_bundle(struct feed *f, const struct json_doc *d, struct vdt_arena *arena)
{
  uint32_t objects = json_get(d, 0, "objects");
  if (d->nodes[0].type != JSON_OBJECT || !json_string_is(d, json_get(d, 0, "type"), "bundle"))
    return error_at(f->err, VDT_ESYNTAX, f->how->name, 1, "expected a STIX bundle: an object whose \"type\" is \"bundle\"");
  if (!json_is(d, objects, JSON_ARRAY))
    return error_at(f->err, VDT_ESYNTAX, f->how->name, 1, "a STIX bundle without the array \"objects\"");
  unsigned number = 0;
  int rc = VDT_OK;
  for (uint32_t o = json_first(d, objects); !rc && o; o = json_next(d, objects, o)) rc = read_object(f, d, o, ++number, arena);
  return rc;
}

int feed_stix(struct feed *f, struct str text)
{
  struct json_doc doc;
  struct vdt_error bad = {0};
  struct vdt_arena *arena = vdt_arena_new(((size_t)64 << 20) + 16 * text.n);
  int rc = arena ? json_parse(arena, text, &(struct json_limits){DEPTH_MAX, NODES_MAX}, &doc, &bad) : VDT_ENOMEM;
  if (rc) rc = error_at(f->err, rc, f->how->name, bad.line, "%s", bad.text[0] ? bad.text : vdt_strerror(rc));
  else rc = read_bundle(f, &doc, arena);
  vdt_arena_free(arena);
  return rc;
}
