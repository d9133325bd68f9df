/*
 * The values of vedette.yaml: how each kind is read, checked and written.
 *
 * Readers take text of any bytes and accept only what their kind allows; nothing else in the program checks a setting again, so what
 * passes here may be put into a generated nginx.conf, a path or a log.
 */
#include "base/network.h"
#include "engine/blocklist.h"
#include "engine/setting.h"
#include "engine/url.h"

static bool keep(struct vdt_arena *arena, struct str text, void *member, bool *oom)
{
  struct str copy = arena_dup(arena, text);
  *(const char **)member = copy.p;
  if (!copy.p) *oom = true;
  return copy.p != NULL;
}

static bool is_alnum(char c)
{
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* 1..max letters, digits and bytes of also. */
static bool made_of(struct str text, const char *also, size_t max)
{
  if (text.n == 0 || text.n > max) return false;
  for (size_t i = 0; i < text.n; i++)
    if (!is_alnum(text.p[i]) && (!text.p[i] || !strchr(also, text.p[i]))) return false;
  return true;
}

/* ---- text ------------------------------------------------------------------------------------------------------- */

/* A name becomes part of paths and file names: "." and ".." are none. */
static bool is_name(struct str text, size_t max)
{
  return made_of(text, "._-", max) && text.p[0] != '.' && text.p[0] != '-';
}

static bool set_name(struct vdt_arena *arena, const struct setting *s, struct str text, void *member, bool *oom)
{
  (void)s;
  return is_name(text, 64) && keep(arena, text, member, oom);
}

static bool set_label(struct vdt_arena *arena, const struct setting *s, struct str text, void *member, bool *oom)
{
  (void)arena, (void)s, (void)oom;
  if (!is_name(text, sizeof((struct vdt_policy *)0)->name - 1)) return false;
  memcpy(member, text.p, text.n);
  ((char *)member)[text.n] = 0;
  return true;
}

static bool is_path(struct str text)
{
  if (text.n == 0 || text.n > 1024) return false;
  for (size_t i = 0; i < text.n; i++)
    if ((unsigned char)text.p[i] < 0x20 || text.p[i] == 0x7f || strchr("\"'\\$;{}", text.p[i])) return false;
  return true;
}

static bool set_path(struct vdt_arena *arena, const struct setting *s, struct str text, void *member, bool *oom)
{
  (void)s;
  return is_path(text) && keep(arena, text, member, oom);
}

static bool set_resource(struct vdt_arena *arena, const struct setting *s, struct str text, void *member, bool *oom)
{
  (void)s;
  return str_starts(text, STR("/subscriptions/")) && made_of(text, "/._()-", 1024) && keep(arena, text, member, oom);
}

static bool set_group(struct vdt_arena *arena, const struct setting *s, struct str text, void *member, bool *oom)
{
  (void)s;
  return made_of(text, "._-()", 90) && keep(arena, text, member, oom);
}

static bool set_network(struct vdt_arena *arena, const struct setting *s, struct str text, void *member, bool *oom)
{
  struct network n;
  (void)s;
  return network_parse(text, &n) && keep(arena, text, member, oom);
}

/* What these headers hold is a secret: it is hashed and never kept. */
static bool holds_secret(struct str header)
{
  static const char *const names[] = {"authorization", "proxy-authorization", "cookie",
                                      "api-key",       "x-api-key",           "ocp-apim-subscription-key"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (str_ieq(header, str_of(names[i]))) return true;
  return false;
}

static bool set_header(struct vdt_arena *arena, const struct setting *s, struct str text, void *member, bool *oom)
{
  (void)s;
  return made_of(text, "-_", 64) && !holds_secret(text) && keep(arena, text, member, oom);
}

static bool set_uuid(struct vdt_arena *arena, const struct setting *s, struct str text, void *member, bool *oom)
{
  (void)s;
  if (text.n != 36) return false;
  for (size_t i = 0; i < 36; i++) {
    bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text.p[i] != '-' : !text.p[i] || !strchr("0123456789abcdefABCDEF", text.p[i])) return false;
  }
  return keep(arena, text, member, oom);
}

static bool set_env(struct vdt_arena *arena, const struct setting *s, struct str text, void *member, bool *oom)
{
  (void)s;
  for (size_t i = 0; i < text.n; i++)
    if (text.p[i] >= 'a' && text.p[i] <= 'z') return false;
  return made_of(text, "_", 128) && !(text.p[0] >= '0' && text.p[0] <= '9') && keep(arena, text, member, oom);
}

/* Where a private key comes from. It ends up in the arguments of a program: a key itself would be seen by everybody. */
static bool set_key_source(struct vdt_arena *arena, const struct setting *s, struct str text, void *member, bool *oom)
{
  static const struct str kinds[] = {STR("file:"), STR("env:"), STR("command:")};
  (void)s;
  bool known = str_eq(text, STR("none"));
  for (size_t i = 0; i < 3; i++) known |= str_starts(text, kinds[i]) && text.n > kinds[i].n;
  for (size_t i = 0; i < text.n; i++)
    if (text.p[i] < ' ' || text.p[i] > '~' || memchr("\"'\\", text.p[i], 3)) return false;
  return known && text.n <= 1024 && keep(arena, text, member, oom);
}

static bool set_address(struct vdt_arena *arena, const struct setting *s, struct str text, void *member, bool *oom)
{
  (void)s;
  struct config_url place;
  if (!url_parse_address(arena, text, &place)) return false;
  return (place.scheme != CONFIG_UNIX || is_path(text)) && keep(arena, text, member, oom);
}

static bool set_upstream(struct vdt_arena *arena, const struct setting *s, struct str text, void *member, bool *oom)
{
  (void)s;
  struct config_url *url = member;
  if (!url_parse(arena, text, url)) return false;
  return (url->scheme != CONFIG_UNIX || is_path(text)) && keep(arena, text, &url->text, oom);
}

static bool set_host(struct vdt_arena *arena, const struct setting *s, struct str text, void *member, bool *oom)
{
  (void)s;
  for (size_t i = 0; i < text.n; i++) {
    char c = text.p[i];
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!letter && (!i || (c != '-' && c != '.'))) return false;
  }
  return text.n && text.n <= 253 && keep(arena, text, member, oom);
}

static bool set_feed_url(struct vdt_arena *arena, const struct setting *s, struct str text, void *member, bool *oom)
{
  (void)s;
  if (!str_starts(text, STR("https://")) || text.n < 10 || text.n > 2048) return false;
  for (size_t i = 0; i < text.n; i++)
    if (text.p[i] <= 0x20 || text.p[i] == 0x7f || strchr("\"'\\<>`", text.p[i])) return false;
  return keep(arena, text, member, oom);
}

/* Where a provider sends browsers back to: over TLS, or not over a network at all (RFC 8252, 8.3). */
static bool set_portal_url(struct vdt_arena *arena, const struct setting *s, struct str text, void *member, bool *oom)
{
  static const struct str end = STR("/portal/");
  struct config_url u;
  (void)s;
  if (text.n > 2048 || !url_parse(arena, text, &u) || !u.path || !str_eq(str_of(u.path), STR("/portal"))) return false;
  bool here = str_ieq(str_of(u.host), STR("localhost")) || str_eq(str_of(u.host), STR("127.0.0.1"));
  if (u.scheme != CONFIG_HTTPS && !(u.scheme == CONFIG_HTTP && here)) return false;
  return text.n > end.n + 8 && str_eq(str_cut(text, text.n - end.n, text.n), end) && text.p[text.n - end.n - 1] != '/' &&
         keep(arena, text, member, oom);
}

static bool set_scopes(struct vdt_arena *arena, const struct setting *s, struct str text, void *member, bool *oom)
{
  bool openid = false;
  (void)s;
  if (text.n > 255) return false;
  for (struct str rest = text;;) {
    const char *blank = memchr(rest.p, ' ', rest.n);
    struct str word = str_cut(rest, 0, blank ? (size_t)(blank - rest.p) : rest.n);
    for (size_t i = 0; i < word.n; i++)
      if (word.p[i] < 0x21 || word.p[i] > 0x7e || strchr("\"\\", word.p[i])) return false;
    if (!word.n) return false;
    openid |= str_eq(word, STR("openid"));
    if (!blank) return openid && keep(arena, text, member, oom);
    rest = str_cut(rest, word.n + 1, rest.n);
  }
}

static bool set_tool(struct vdt_arena *arena, const struct setting *s, struct str text, void *member, bool *oom)
{
  struct str name = text.n && text.p[text.n - 1] == '*' ? str_cut(text, 0, text.n - 1) : text;
  (void)s;
  return (name.n == 0 ? text.n == 1 : made_of(name, "._-/:", 128)) && keep(arena, text, member, oom);
}

static bool set_column(struct vdt_arena *arena, const struct setting *s, struct str text, void *member, bool *oom)
{
  (void)s;
  return made_of(text, " ._-", 64) && keep(arena, text, member, oom);
}

static bool set_model(struct vdt_arena *arena, const struct setting *s, struct str text, void *member, bool *oom)
{
  (void)s;
  return made_of(text, "._-:/@", 128) && keep(arena, text, member, oom);
}

static bool set_text(struct vdt_arena *arena, const struct setting *s, struct str text, void *member, bool *oom)
{
  (void)s;
  if (text.n == 0 || text.n > 1024) return false;
  for (size_t i = 0; i < text.n; i++)
    if ((unsigned char)text.p[i] < 0x20 || text.p[i] == 0x7f) return false;
  return keep(arena, text, member, oom);
}

static bool set_claim(struct vdt_arena *arena, const struct setting *s, struct str text, void *member, bool *oom)
{
  return text.n < 256 && set_text(arena, s, text, member, oom);
}

/* Those that tokens of identity providers may have; the control process knows them by the same names. */
static bool set_algorithms(struct vdt_arena *arena, const struct setting *s, struct str text, void *member, bool *oom)
{
  (void)s;
  struct str rest = text;
  for (bool more = true; more;) {
    const char *comma = rest.n ? memchr(rest.p, ',', rest.n) : NULL;
    struct str one = str_cut(rest, 0, comma ? (size_t)(comma - rest.p) : rest.n);
    if (!str_eq(one, STR("RS256")) && !str_eq(one, STR("ES256")) && !str_eq(one, STR("EdDSA"))) return false;
    more = comma != NULL;
    rest = str_cut(rest, more ? one.n + 1 : rest.n, rest.n);
  }
  return text.n < 64 && keep(arena, text, member, oom);
}

/* Name of a rule, with or without a "*" at its end. */
static bool set_kind_name(struct vdt_arena *arena, const struct setting *s, struct str text, void *member, bool *oom)
{
  (void)s;
  struct str name = text.n > 1 && text.p[text.n - 1] == '*' ? str_cut(text, 0, text.n - 1) : text;
  return made_of(name, "-", 48) && keep(arena, text, member, oom);
}

static bool set_hash(struct vdt_arena *arena, const struct setting *s, struct str text, void *member, bool *oom)
{
  (void)s;
  for (size_t i = 0; i < text.n; i++)
    if (!text.p[i] || !strchr("0123456789abcdef", text.p[i])) return false;
  return text.n == VDT_ALLOW_HASH - 1 && keep(arena, text, member, oom);
}

static bool set_phrase(struct vdt_arena *arena, const struct setting *s, struct str text, void *member, bool *oom)
{
  (void)s;
  return vdt_blocklist_is_phrase(text) && keep(arena, text, member, oom);
}

static void put_text(const struct setting *s, const void *member, struct buf *out)
{
  (void)s;
  const char *text = *(const char *const *)member;
  if (text) json_quote(out, str_of(text));
}

static void put_label(const struct setting *s, const void *member, struct buf *out)
{
  (void)s;
  json_quote(out, str_of(member));
}

static void put_upstream(const struct setting *s, const void *member, struct buf *out)
{
  const struct config_url *url = member;
  put_text(s, &url->text, out);
}

/* ---- numbers ---------------------------------------------------------------------------------------------------- */

struct unit {
  struct str name;
  uint64_t size;
};
static const struct unit sizes[] = {{STR("GiB"), 1u << 30}, {STR("MiB"), 1u << 20}, {STR("KiB"), 1u << 10}, {STR(""), 1}};
static const struct unit durations[] = {{STR("d"), 86400}, {STR("h"), 3600}, {STR("m"), 60}, {STR("s"), 1}};
enum { N_UNITS = 4 };

static bool within(const struct setting *s, double v)
{
  return v >= s->low && v <= s->high;
}

static bool set_units(const struct setting *s, const struct unit *units, struct str text, uint64_t *out)
{
  size_t digits = 0;
  while (digits < text.n && text.p[digits] >= '0' && text.p[digits] <= '9') digits++;
  uint64_t v;
  if (digits == 0 || digits > 12 || !str_u64(str_cut(text, 0, digits), &v)) return false;
  struct str name = str_cut(text, digits, text.n);
  for (size_t i = 0; i < N_UNITS; i++) {
    if (!str_eq(name, units[i].name)) continue;
    *out = v * units[i].size;
    return within(s, (double)*out);
  }
  return false;
}

static bool set_size(struct vdt_arena *arena, const struct setting *s, struct str text, void *member, bool *oom)
{
  (void)arena, (void)oom;
  return set_units(s, sizes, text, member);
}

static bool set_duration(struct vdt_arena *arena, const struct setting *s, struct str text, void *member, bool *oom)
{
  (void)arena, (void)oom;
  return set_units(s, durations, text, member);
}

static bool set_keep(struct vdt_arena *arena, const struct setting *s, struct str text, void *member, bool *oom)
{
  if (!str_eq(text, STR("forever"))) return set_duration(arena, s, text, member, oom);
  *(uint64_t *)member = CONFIG_FOREVER;
  return true;
}

static const struct unit times[] = {{STR("s"), 1000}, {STR("ms"), 1}};

static bool set_millis(struct vdt_arena *arena, const struct setting *s, struct str text, void *member, bool *oom)
{
  (void)arena, (void)oom;
  size_t digits = 0;
  uint64_t v;
  while (digits < text.n && text.p[digits] >= '0' && text.p[digits] <= '9') digits++;
  if (digits == 0 || digits > 9 || !str_u64(str_cut(text, 0, digits), &v)) return false;
  for (size_t i = 0; i < 2; i++) {
    if (!str_eq(str_cut(text, digits, text.n), times[i].name)) continue;
    *(uint64_t *)member = v * times[i].size;
    return within(s, (double)(v * times[i].size));
  }
  return false;
}

static bool set_uint(struct vdt_arena *arena, const struct setting *s, struct str text, void *member, bool *oom)
{
  (void)arena, (void)oom;
  uint64_t v;
  if (!str_u64(text, &v) || !within(s, (double)v)) return false;
  *(unsigned *)member = (unsigned)v;
  return true;
}

/* Digits with at most one point. strtod would follow the locale, and accept "inf" and hexadecimal. */
static bool set_score(struct vdt_arena *arena, const struct setting *s, struct str text, void *member, bool *oom)
{
  (void)arena, (void)oom;
  double v = 0, scale = 1;
  bool point = false, digit = false;
  if (text.n > 12) return false;
  for (size_t i = 0; i < text.n; i++) {
    if (text.p[i] == '.' && !point) {
      point = true;
      continue;
    }
    if (text.p[i] < '0' || text.p[i] > '9') return false;
    digit = true;
    v = v * 10 + (text.p[i] - '0');
    if (point) scale *= 10;
  }
  if (!digit || !within(s, v / scale)) return false;
  *(double *)member = v / scale;
  return true;
}

static void put_units(const struct unit *units, uint64_t v, struct buf *out)
{
  size_t i = 0;
  while (i < N_UNITS - 1 && v % units[i].size) i++;
  buf_printf(out, "%llu", (unsigned long long)(v / units[i].size));
  buf_put(out, units[i].name);
}

static void put_size(const struct setting *s, const void *member, struct buf *out)
{
  (void)s;
  put_units(sizes, *(const uint64_t *)member, out);
}

static void put_duration(const struct setting *s, const void *member, struct buf *out)
{
  (void)s;
  put_units(durations, *(const uint64_t *)member, out);
}

static void put_keep(const struct setting *s, const void *member, struct buf *out)
{
  if (*(const uint64_t *)member == CONFIG_FOREVER) BUF_LIT(out, "forever");
  else put_duration(s, member, out);
}

static void put_time(uint64_t ms, struct buf *out)
{
  size_t i = ms % times[0].size ? 1 : 0;
  buf_printf(out, "%llu", (unsigned long long)(ms / times[i].size));
  buf_put(out, times[i].name);
}

static void put_millis(const struct setting *s, const void *member, struct buf *out)
{
  (void)s;
  put_time(*(const uint64_t *)member, out);
}

static void put_uint(const struct setting *s, const void *member, struct buf *out)
{
  (void)s;
  buf_printf(out, "%u", *(const unsigned *)member);
}

static void put_score(const struct setting *s, const void *member, struct buf *out)
{
  (void)s;
  buf_printf(out, "%.12g", *(const double *)member);
}

/* ---- choices ---------------------------------------------------------------------------------------------------- */

static const char *const switches[] = {"off", "on", NULL};
static const char *const booleans[] = {"false", "true", NULL};
static const char *const failures[] = {"open", "closed", NULL};
static const char *const evidences[] = {"off", "segments", "full", NULL};
static const char *const overrides[] = {"inherit", "off", "segments", "full", NULL};
static const char *const actions[] = {"allow", "detect", "block", NULL};
static const char *const responses[] = {"allow", "detect", "redact", "cut", "block", NULL};
static const char *const stops[] = {"allow", "detect", "cut", "block", NULL};
static const char *const leak_prompts[] = {"allow", "detect", "redact", "block", NULL};
static const char *const same_prompts[] = {"same", "allow", "detect", "redact", "block", NULL};
static const char *const same_responses[] = {"same", "allow", "detect", "redact", "cut", "block", NULL};
static const char *const masks[] = {"label", "partial", "pseudonym", NULL};
static const char *const host_masks[] = {"label", "partial", NULL};
static const char *const same_masks[] = {"same", "label", "partial", "pseudonym", NULL};
static const char *const restores[] = {"all", "tool-calls", "none", NULL};
static const char *const shield_kinds[] = {"prompt-shields", "openai-chat", NULL};
static const char *const opinion_failures[] = {"keep", "block", "allow", NULL};
static const char *const roles[] = {
#define X(id, name, help) name,
#include "base/roles.def"
#undef X
    NULL,
};

static const char *const feed_kinds[] = {
#define X(id, name, help) name,
#include "intel/kinds.def"
#undef X
    NULL};
static const char *const feed_formats[] = {
#define X(id, name, help) name,
#include "intel/formats.def"
#undef X
    NULL};
static const char *const stores[] = {"sqlite", NULL};

static bool choose(const struct setting *s, struct str text, unsigned *out)
{
  const char *const *choices = setting_kind(s)->choices;
  for (*out = 0; choices[*out]; ++*out)
    if (str_eq(text, str_of(choices[*out]))) return true;
  return false;
}

/* Members are enumerations whose values are the positions of the choices. */
static bool set_choice(struct vdt_arena *arena, const struct setting *s, struct str text, void *member, bool *oom)
{
  (void)arena, (void)oom;
  unsigned i;
  if (!choose(s, text, &i)) return false;
  memcpy(member, &i, sizeof i);
  return true;
}

/* The values are the positions in the longer list: a workspace has nothing to inherit from. */
static bool set_evidence(struct vdt_arena *arena, const struct setting *s, struct str text, void *member, bool *oom)
{
  (void)arena, (void)oom;
  unsigned i;
  if (str_eq(text, STR("on"))) text = STR("segments");
  if (!choose(s, text, &i)) return false;
  for (i = 0; !str_eq(text, str_of(overrides[i]));) i++;
  *(enum config_evidence *)member = (enum config_evidence)i;
  return true;
}

static bool set_bool(struct vdt_arena *arena, const struct setting *s, struct str text, void *member, bool *oom)
{
  (void)arena, (void)oom;
  unsigned i;
  if (!choose(s, text, &i)) return false;
  *(bool *)member = i != 0;
  return true;
}

static bool set_action(struct vdt_arena *arena, const struct setting *s, struct str text, void *member, bool *oom)
{
  static const enum vdt_action values[] = {VDT_ALLOW, VDT_DETECT, VDT_BLOCK};
  (void)arena, (void)oom;
  unsigned i;
  if (!choose(s, text, &i)) return false;
  *(enum vdt_action *)member = values[i];
  return true;
}

static bool set_leak_prompt(struct vdt_arena *arena, const struct setting *s, struct str text, void *member, bool *oom)
{
  static const enum vdt_action values[] = {VDT_ALLOW, VDT_DETECT, VDT_REDACT, VDT_BLOCK};
  (void)arena, (void)oom;
  unsigned i;
  if (!choose(s, text, &i)) return false;
  *(enum vdt_action *)member = values[i];
  return true;
}

static bool set_stop(struct vdt_arena *arena, const struct setting *s, struct str text, void *member, bool *oom)
{
  static const enum vdt_action values[] = {VDT_ALLOW, VDT_DETECT, VDT_CUT, VDT_BLOCK};
  (void)arena, (void)oom;
  unsigned i;
  if (!choose(s, text, &i)) return false;
  *(enum vdt_action *)member = values[i];
  return true;
}

/* The values are the positions in the longer list. */
static bool set_override(struct vdt_arena *arena, const struct setting *s, struct str text, void *member, bool *oom)
{
  (void)arena, (void)oom;
  unsigned i;
  if (!choose(s, text, &i)) return false;
  for (i = 0; !str_eq(text, str_of(same_responses[i]));) i++;
  *(enum vdt_override *)member = (enum vdt_override)i;
  return true;
}

static bool set_store(struct vdt_arena *arena, const struct setting *s, struct str text, void *member, bool *oom)
{
  unsigned i;
  return choose(s, text, &i) && keep(arena, text, member, oom);
}

static void put_choice(const struct setting *s, const void *member, struct buf *out)
{
  unsigned i;
  memcpy(&i, member, sizeof i);
  buf_put(out, str_of(setting_kind(s)->choices[i]));
}

static void put_evidence(const struct setting *s, const void *member, struct buf *out)
{
  (void)s;
  buf_put(out, str_of(overrides[*(const enum config_evidence *)member]));
}

static void put_switch(const struct setting *s, const void *member, struct buf *out)
{
  (void)s;
  buf_put(out, str_of(switches[*(const bool *)member]));
}

static void put_boolean(const struct setting *s, const void *member, struct buf *out)
{
  (void)s;
  buf_put(out, str_of(booleans[*(const bool *)member]));
}

static void put_failure(const struct setting *s, const void *member, struct buf *out)
{
  (void)s;
  buf_put(out, str_of(failures[*(const bool *)member]));
}

static void put_override(const struct setting *s, const void *member, struct buf *out)
{
  (void)s;
  buf_put(out, str_of(same_responses[*(const enum vdt_override *)member]));
}

static void put_action(const struct setting *s, const void *member, struct buf *out)
{
  (void)s;
  buf_put(out, str_of(vdt_action_name(*(const enum vdt_action *)member)));
}

/* ---- the tables ------------------------------------------------------------------------------------------------- */

static const struct value_kind kinds[] = {
    [KIND_MAP] = {.type = "keys and values"},
    [KIND_LIST] = {.type = "a list"},
#define K(name, type, choices, set, put) [KIND_##name] = {type, choices, set, put},
#include "engine/kinds.def"
#undef K
};

#define REQUIRED        NULL
#define ABSENT          ""
#define IN_ROOT         struct config
#define IN_LISTEN       struct config_listen
#define IN_CONTEXT      struct config_context
#define IN_PROXY        struct config_proxy
#define IN_BEHAVIOUR    struct behaviour_limits
#define IN_CONTROL      struct config_control
#define IN_HOST         struct config_host
#define IN_OIDC         struct config_oidc
#define IN_OIDC_ROLE    struct config_oidc_role
#define IN_SIGN_IN      struct config_sign_in
#define IN_TLS          struct config_tls
#define IN_LIMITS       struct config_limits
#define IN_WORKSPACE    struct config_workspace
#define IN_RETENTION    struct config_retention
#define IN_DEPLOYMENT   struct config_deployment
#define IN_POLICY       struct vdt_policy
#define IN_SCORE        struct vdt_score_policy
#define IN_CREDENTIAL   struct vdt_leak_policy
#define IN_SENSITIVE    struct vdt_leak_policy
#define IN_URLS         struct vdt_leak_policy
#define IN_RECON        struct vdt_score_policy
#define IN_INSTRUCTIONS struct vdt_instruction_policy
#define IN_TOOLS        struct vdt_tool_policy
#define IN_TOOL_NAME    struct vdt_tool_name
#define IN_INTEL        struct config_intel
#define IN_FEED         struct config_feed
#define IN_HIDDEN       struct vdt_hidden_policy
#define IN_OPINION      struct vdt_opinion_policy
#define IN_SHIELD       struct config_shield
#define IN_SAFETY       struct config_content_safety
#define IN_BLOCKLIST    struct config_blocklist
#define IN_PHRASE       struct config_phrase
#define IN_USED_LIST    struct config_used_list
#define IN_RULE_FILE    struct config_rule_file
#define IN_LEAK_KIND    struct vdt_kind_policy
#define IN_ALLOWED      struct config_allowed
#define IN_DATA_API     struct config_content_safety
#define IN_SENSITIVITY  struct config_label
#define IN_DATA_KIND    struct data_kind
#define IN_DATA_POLICY  struct config_data_policy
#define IN_WHO          struct config_who

const struct setting settings[] = {
#define X(scope, key, kind, of, member, initial, low, high, help)                                                                \
  {scope, key, KIND_##kind, of, offsetof(IN_##scope, member), initial, low, high, help},
#include "engine/settings.def"
#undef X
};
const size_t n_settings = sizeof settings / sizeof *settings;

const size_t scope_size[SCOPES] = {
    [WORKSPACE] = sizeof(struct config_workspace), [DEPLOYMENT] = sizeof(struct config_deployment),
    [POLICY] = sizeof(struct vdt_policy),          [SHIELD] = sizeof(struct config_shield),
    [BLOCKLIST] = sizeof(struct config_blocklist), [PHRASE] = sizeof(struct config_phrase),
    [USED_LIST] = sizeof(struct config_used_list), [RULE_FILE] = sizeof(struct config_rule_file),
    [LEAK_KIND] = sizeof(struct vdt_kind_policy),  [ALLOWED] = sizeof(struct config_allowed),
    [TOOL_NAME] = sizeof(struct vdt_tool_name),    [PROXY] = sizeof(struct config_proxy),
    [FEED] = sizeof(struct config_feed),           [SENSITIVITY] = sizeof(struct config_label),
    [DATA_KIND] = sizeof(struct data_kind),        [DATA_POLICY] = sizeof(struct config_data_policy),
    [HOST] = sizeof(struct config_host),           [WHO] = sizeof(struct config_who),
    [OIDC] = sizeof(struct config_oidc),           [OIDC_ROLE] = sizeof(struct config_oidc_role),
};

const struct value_kind *setting_kind(const struct setting *s)
{
  return &kinds[s->kind];
}

void setting_bounds(const struct setting *s, struct buf *out)
{
  const double at[] = {s->low, s->high};
  if (!(s->high > s->low)) return;
  for (int i = 0; i < 2; i++) {
    if (i) BUF_LIT(out, " to ");
    if (s->kind == KIND_SIZE) put_units(sizes, (uint64_t)at[i], out);
    else if (s->kind == KIND_DURATION || s->kind == KIND_KEEP) put_units(durations, (uint64_t)at[i], out);
    else if (s->kind == KIND_MILLIS) put_time((uint64_t)at[i], out);
    else buf_printf(out, "%.12g", at[i]);
  }
}
