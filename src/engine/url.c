/* Reads upstream URLs and listen addresses. RFC 3986 without what has no use here: user information, query, fragment, escapes. */
#include "engine/url.h"

static bool all_of(struct str s, const char *allowed)
{
  for (size_t i = 0; i < s.n; i++)
    if (!s.p[i] || !strchr(allowed, s.p[i])) return false;
  return true;
}

#define DIGITS  "0123456789"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* Where the host ends: after "]" or before ":" or "/". 0 when there is none. */
static size_t host_end(struct str s)
{
  size_t i = 0;
  if (s.n && s.p[0] == '[') {
    while (i < s.n && s.p[i] != ']') i++;
    return i < s.n ? i + 1 : 0;
  }
  while (i < s.n && s.p[i] != ':' && s.p[i] != '/') i++;
  return i;
}

static bool take_host(struct vdt_arena *arena, struct str host, struct config_url *out)
{
  if (host.n == 0 || host.n > 255) return false;
  if (host.p[0] == '[') {
    host = str_cut(host, 1, host.n - 1);
    if (host.n < 2 || host.n > 45 || !all_of(host, DIGITS "abcdefABCDEF:.") || !memchr(host.p, ':', host.n)) return false;
  } else if (!all_of(host, LETTERS DIGITS ".-") || host.p[0] == '.' || host.p[0] == '-') {
    return false;
  }
  out->host = arena_dup(arena, host).p;
  return out->host != NULL;
}

static bool take_port(struct str port, struct config_url *out)
{
  uint64_t v;
  if (port.n > 5 || !str_u64(port, &v) || v < 1 || v > 65535) return false;
  out->port = (unsigned)v;
  return true;
}

static bool take_path(struct vdt_arena *arena, struct str path, struct config_url *out)
{
  while (path.n && path.p[path.n - 1] == '/') path.n--;
  if (path.n > 512 || !all_of(path, LETTERS DIGITS "/._~-") || str_find(path, STR("/.")) != (size_t)-1) return false;
  out->path = arena_dup(arena, path).p;
  return out->path != NULL;
}

static bool take_unix(struct vdt_arena *arena, struct str path, struct config_url *out)
{
  /* sockaddr_un holds 108 bytes with its NUL; a colon would start a URI in nginx's notation. */
  if (path.n == 0 || path.n > 107 || memchr(path.p, ':', path.n) || memchr(path.p, 0, path.n)) return false;
  *out = (struct config_url){.scheme = CONFIG_UNIX, .host = arena_dup(arena, path).p, .path = ""};
  return out->host != NULL;
}

/* HOST[:PORT][/PATH] */
static bool take_authority(struct vdt_arena *arena, struct str s, struct config_url *out)
{
  size_t end = host_end(s);
  if (!take_host(arena, str_cut(s, 0, end), out)) return false;
  s = str_cut(s, end, s.n);
  if (s.n && s.p[0] == ':') {
    const char *slash = memchr(s.p, '/', s.n);
    size_t stop = slash ? (size_t)(slash - s.p) : s.n;
    if (!take_port(str_cut(s, 1, stop), out)) return false;
    s = str_cut(s, stop, s.n);
  }
  return (s.n == 0 || s.p[0] == '/') && take_path(arena, s, out);
}

bool url_parse(struct vdt_arena *arena, struct str text, struct config_url *out)
{
  static const struct {
    struct str prefix;
    enum config_scheme scheme;
    unsigned port;
  } schemes[] = {{STR("http://"), CONFIG_HTTP, 80}, {STR("https://"), CONFIG_HTTPS, 443}};

  *out = (struct config_url){.scheme = CONFIG_SIMULATED, .path = ""};
  if (str_eq(text, STR("simulated"))) return true;
  if (str_starts(text, STR("unix:"))) return take_unix(arena, str_cut(text, 5, text.n), out);
  for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
    if (!str_starts(text, schemes[i].prefix)) continue;
    out->scheme = schemes[i].scheme;
    out->port = schemes[i].port;
    return take_authority(arena, str_cut(text, schemes[i].prefix.n, text.n), out);
  }
  return false;
}

bool url_parse_address(struct vdt_arena *arena, struct str text, struct config_url *out)
{
  *out = (struct config_url){.scheme = CONFIG_HTTP};
  if (str_starts(text, STR("unix:"))) return take_unix(arena, str_cut(text, 5, text.n), out);
  return take_authority(arena, text, out) && out->port && !*out->path;
}

void url_origin(const struct config_url *u, char *out, size_t n)
{
  bool tls = u->scheme == CONFIG_HTTPS, v6 = u->host && strchr(u->host, ':');
  char port[8] = "";
  if (u->scheme == CONFIG_SIMULATED || u->scheme == CONFIG_UNIX) {
    snprintf(out, n, "%s%s", u->scheme == CONFIG_UNIX ? "unix:" : "simulated", u->scheme == CONFIG_UNIX ? u->host : "");
    return;
  }
  if (u->port != (tls ? 443u : 80u)) snprintf(port, sizeof port, ":%u", u->port % 65536);
  snprintf(out, n, "%s://%s%s%s%s", tls ? "https" : "http", v6 ? "[" : "", u->host, v6 ? "]" : "", port);
}
