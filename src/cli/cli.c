/* What the subcommands share: options, safe output, defaults. No command lives here. */
#include "cli/cli.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"
#include <pwd.h>
#include <errno.h>
#include <stdarg.h>
#include <unistd.h>

int cli_usage(const char *command, const char *fmt, ...)
{
  va_list ap;
  va_start(ap, fmt);
  fprintf(stderr, "vedette %s: ", command);
  vfprintf(stderr, fmt, ap);
  fprintf(stderr, "\nTry: vedette help %s\n", command);
  va_end(ap);
  return CLI_USAGE;
}

int cli_complain(const char *command, const struct vdt_error *err)
{
  fprintf(stderr, "vedette %s: ", command);
  cli_print_safe(stderr, str_of(err->file));
  if (err->line) fprintf(stderr, ":%u", err->line);
  if (err->file[0]) fprintf(stderr, ": ");
  cli_print_safe(stderr, str_of(err->text));
  fprintf(stderr, "\n");
  return 1;
}

/* ---- options ---------------------------------------------------------------------------------------------------- */

static const struct cli_option *find(const struct cli_option *options, size_t n, struct str name)
{
  for (size_t i = 0; i < n; i++)
    if (str_eq(name, str_of(options[i].name))) return &options[i];
  return NULL;
}

static const char *nearest(const struct cli_option *options, size_t n, struct str name)
{
  const char *best = NULL;
  unsigned least = 3;
  for (size_t i = 0; i < n; i++) {
    unsigned d = str_distance(name, str_of(options[i].name));
    if (d < least) {
      least = d;
      best = options[i].name;
    }
  }
  return best;
}

static int unknown(const char *command, const struct cli_option *options, size_t n, struct str name)
{
  const char *best = nearest(options, n, name);
  struct buf safe = {0};
  cli_safe(&safe, name);
  cli_usage(command, "unknown option --%.*s%s%s%s", (int)safe.n, safe.p ? safe.p : "", best ? "; did you mean --" : "",
            best ? best : "", best ? "?" : "");
  buf_finish(&safe);
  return -1;
}

static int assign(const char *command, const struct cli_option *o, const char *value)
{
  uint64_t number;
  struct cli_list *list = o->to;
  switch (o->kind) {
  case CLI_FLAG: *(bool *)o->to = true; return 0;
  case CLI_TEXT: *(const char **)o->to = value; return 0;
  case CLI_LIST:
    if (list->n == sizeof list->items / sizeof *list->items) return cli_usage(command, "--%s: given too often", o->name), -1;
    list->items[list->n++] = value;
    return 0;
  case CLI_NUMBER: break;
  }
  if (!str_u64(str_of(value), &number) || number > 1000000000u) return cli_usage(command, "--%s: expected a number", o->name), -1;
  *(unsigned *)o->to = (unsigned)number;
  return 0;
}

/* Reads the option at argv[*i] and moves *i onto its value when that is an argument of its own. */
static int take(int argc, char **argv, int *i, const struct cli_option *options, size_t n)
{
  struct str arg = str_of(argv[*i] + 2);
  char *equals = memchr(arg.p, '=', arg.n);
  struct str name = equals ? str_cut(arg, 0, (size_t)(equals - arg.p)) : arg;
  const struct cli_option *o = find(options, n, name);
  if (!o) return unknown(argv[0], options, n, name);
  if (o->kind == CLI_FLAG) {
    if (equals) return cli_usage(argv[0], "--%s takes no value", o->name), -1;
    return assign(argv[0], o, NULL);
  }
  if (equals) return assign(argv[0], o, equals + 1);
  if (*i + 1 >= argc) return cli_usage(argv[0], "--%s needs a value", o->name), -1;
  return assign(argv[0], o, argv[++*i]);
}

int cli_options(int argc, char **argv, const struct cli_option *options, size_t n)
{
  int left = 0;
  for (int i = 1; i < argc; i++) {
    const char *a = argv[i];
    if (strcmp(a, "--") == 0) {
      while (++i < argc) argv[++left] = argv[i];
    } else if (a[0] == '-' && a[1] == '-') {
      if (take(argc, argv, &i, options, n) < 0) return -1;
    } else if (a[0] == '-' && a[1]) {
      return cli_usage(argv[0], "options begin with two dashes: %.20s", a[1] > ' ' && a[1] < 127 ? a : "-"), -1;
    } else {
      argv[++left] = argv[i];
    }
  }
  return left;
}

/* ---- output ----------------------------------------------------------------------------------------------------- */

/* Length of the UTF-8 character at p and its code point; 0 when it is none. */
static size_t decode(struct str s, uint32_t *code)
{
  unsigned char c = (unsigned char)s.p[0];
  size_t n = c < 0x80 ? 1 : c >= 0xc2 && c < 0xe0 ? 2 : c >= 0xe0 && c < 0xf0 ? 3 : c >= 0xf0 && c < 0xf5 ? 4 : 0;
  if (n == 0 || n > s.n) return 0;
  uint32_t v = n == 1 ? c : c & (0x7fu >> n);
  for (size_t i = 1; i < n; i++) {
    unsigned char d = (unsigned char)s.p[i];
    if ((d & 0xc0) != 0x80) return 0;
    v = v << 6 | (d & 0x3fu);
  }
  if ((n == 3 && v < 0x800) || (n == 4 && (v < 0x10000 || v > 0x10ffff)) || (v >= 0xd800 && v < 0xe000)) return 0;
  *code = v;
  return n;
}

/* Controls, soft hyphen, zero width, bidirectional controls, line separators, tags: what a terminal obeys or hides. */
static bool unsafe(uint32_t c)
{
  return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xad || c == 0x61c || (c >= 0x200b && c <= 0x200f) ||
         (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || (c >= 0xe0000 && c <= 0xe0fff);
}

void cli_safe(struct buf *out, struct str text)
{
  for (size_t i = 0; i < text.n;) {
    uint32_t c = 0;
    size_t n = decode(str_cut(text, i, text.n), &c);
    if (n == 0) buf_printf(out, "\\x%02x", (unsigned char)text.p[i]);
    else if (unsafe(c)) buf_printf(out, c < 0x80 ? "\\x%02x" : "\\u{%x}", c);
    else buf_put(out, str_cut(text, i, i + n));
    i += n ? n : 1;
  }
}

void cli_print_safe(FILE *f, struct str text)
{
  struct buf b = {0};
  cli_safe(&b, text);
  if (b.n) fwrite(b.p, 1, b.n, f);
  buf_finish(&b);
}

bool cli_colour(FILE *f)
{
  const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
  return isatty(fileno(f)) && !(no && *no) && term && strcmp(term, "dumb") != 0;
}

bool cli_as_table(bool table, bool json)
{
  return table || (!json && isatty(STDOUT_FILENO));
}

const char *cli_state(const char *given)
{
  const char *env = getenv("VEDETTE_STATE");
  return given ? given : env && *env ? env : "./state";
}

int cli_state_missing(const char *command, const char *state, const char *name, int error)
{
  fprintf(stderr, "vedette %s: ", command);
  cli_print_safe(stderr, str_of(state));
  fprintf(stderr, "/%s: %s\n", name, strerror(error));
  fprintf(stderr, error == EACCES
                      ? "The state folder is for the account that runs vedette: call this as that one, or with sudo.\n"
                      : "Name the state folder with --state DIR; `vedette run` and `vedette serve` make one.\n");
  return CLI_USAGE;
}

bool cli_key_source(const char *command, const char *source)
{
  struct str s = str_of(source);
  if (!source || str_starts(s, STR("file:")) || str_starts(s, STR("env:")) || str_starts(s, STR("command:"))) return true;
  cli_usage(command, "--key: expected file:PATH, env:NAME or command:PROGRAM ARGUMENT...");
  return false;
}

int cli_end(const char *command, int rc)
{
  errno = 0;
  if (fflush(stdout) == 0 && !ferror(stdout)) return rc;
  if (errno == EPIPE) return rc;
  fprintf(stderr, "vedette %s: standard output cannot be written: %s\n", command, errno ? strerror(errno) : "is the disk full?");
  return rc ? rc : 1;
}

bool cli_since(const char *text, uint64_t *out)
{
  static const struct {
    char unit;
    uint64_t seconds;
  } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
  struct str s = str_of(text);
  uint64_t n;
  for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
    if (!s.n || s.p[s.n - 1] != units[i].unit || !str_u64(str_cut(s, 0, s.n - 1), &n) || n > 36600 * UINT64_C(86400)) continue;
    uint64_t now = clock_unix_us(), ago = n * units[i].seconds * 1000000;
    *out = ago < now ? now - ago : 0;
    return true;
  }
  char day[32];
  if (s.n == 10) snprintf(day, sizeof day, "%sT00:00:00Z", text);
  *out = s.n == 10 ? clock_parse(day, strlen(day)) : clock_parse(text, s.n);
  return *out > 0;
}

void cli_who(char out[CLI_WHO])
{
  const struct passwd *pw = getpwuid(getuid());
  if (pw) snprintf(out, CLI_WHO, "cli:%.60s", pw->pw_name);
  else snprintf(out, CLI_WHO, "cli:uid %u", (unsigned)getuid());
}

bool cli_flush(struct buf *b)
{
  bool ok = !b->failed && (!b->n || fwrite(b->p, 1, b->n, stdout) == b->n) && fflush(stdout) == 0;
  buf_finish(b);
  return ok;
}
