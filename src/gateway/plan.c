#include "gateway/plan.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MAX = 1 << 20 };

static bool is_alnum_or_dash(char c)
{
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
}

/* The segment behind /subscriptions/ of a resource id. */
static struct str subscription_in(const char *id)
{
  static const struct str key = {"/subscriptions/", 15};
  struct str s = str_of(id);
  if (s.n <= key.n || !str_ieq(str_cut(s, 0, key.n), key)) return (struct str){0};
  s = str_cut(s, key.n, s.n);
  size_t n = 0;
  while (n < s.n && s.p[n] != '/') n++;
  return str_cut(s, 0, n);
}

/* As analyse/alert.c has it for the alerts of the deployment. */
static struct str subscription_of(const struct config_deployment *d)
{
  struct str s = d->resource_id ? subscription_in(d->resource_id) : (struct str){0};
  if (!s.n && d->workspace->subscription_id) s = str_of(d->workspace->subscription_id);
  return s.n ? s : STR("00000000-0000-0000-0000-000000000000");
}

static void set(const struct config *c, struct str subscription, enum config_switch value, enum config_switch *out)
{
  for (size_t i = 0; i < c->n_deployments; i++)
    if (str_ieq(subscription_of(&c->deployments[i]), subscription)) out[i] = value;
}

static void read_line(const struct config *c, struct str line, enum config_switch *out)
{
  size_t n = 0;
  while (n < line.n && is_alnum_or_dash(line.p[n])) n++;
  struct str value = str_cut(line, n, line.n);
  if (n && str_eq(value, STR(" on"))) set(c, str_cut(line, 0, n), CONFIG_ON, out);
  if (n && str_eq(value, STR(" off"))) set(c, str_cut(line, 0, n), CONFIG_OFF, out);
}

void plan_read(const struct config *config, struct str text, enum config_switch *out)
{
  for (size_t i = 0; i < config->n_deployments; i++) out[i] = CONFIG_INHERIT;
  for (size_t i = 0; i < text.n;) {
    const char *lf = memchr(text.p + i, '\n', text.n - i);
    size_t end = lf ? (size_t)(lf - text.p) : text.n;
    read_line(config, str_cut(text, i, end), out);
    i = end + 1;
  }
}

static void read_file(int fd, size_t size, const struct config *config, enum config_switch *out)
{
  char *text = malloc(size + 1);
  ssize_t n = text ? read(fd, text, size) : -1;
  if (n >= 0) plan_read(config, (struct str){text, (size_t)n}, out);
  free(text);
}

void plan_refresh(int spool, struct plan_seen *seen, const struct config *config, enum config_switch *out)
{
  struct stat st;
  int fd = openat(spool, "plan", O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (fd < 0 && errno == ENOENT && seen->inode) {
    *seen = (struct plan_seen){0};
    plan_read(config, STR(""), out);
  }
  if (fd < 0) return;
  bool fresh = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size <= FILE_MAX &&
               (st.st_ino != seen->inode || memcmp(&st.st_mtim, &seen->changed, sizeof st.st_mtim) != 0);
  if (fresh) {
    *seen = (struct plan_seen){st.st_ino, st.st_mtim};
    read_file(fd, (size_t)st.st_size, config, out);
  }
  close(fd);
}
