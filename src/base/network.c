#include "base/network.h"
#include <arpa/inet.h>

enum { TEXT_MAX = 46 };

bool address_parse(struct str text, struct address *out)
{
  static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
  char z[TEXT_MAX + 1];
  if (text.n == 0 || text.n > TEXT_MAX || memchr(text.p, 0, text.n)) return false;
  memcpy(z, text.p, text.n);
  z[text.n] = 0;
  if (inet_pton(AF_INET6, z, out->bytes) == 1) return true;
  memcpy(out->bytes, mapped, sizeof mapped);
  return inet_pton(AF_INET, z, out->bytes + 12) == 1;
}

static struct str trim(struct str s)
{
  while (s.n && (s.p[0] == ' ' || s.p[0] == '\t' || s.p[0] == '"')) s = str_cut(s, 1, s.n);
  while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t' || s.p[s.n - 1] == '"')) s.n--;
  return s;
}

static bool is_port(struct str s)
{
  uint64_t port;
  return s.n > 1 && s.p[0] == ':' && str_u64(str_cut(s, 1, s.n), &port) && port < 65536;
}

bool address_find(struct str text, struct str *bare, struct address *out)
{
  struct str s = trim(text), rest = {0};
  if (s.n && s.p[0] == '[') {
    const char *end = memchr(s.p, ']', s.n);
    if (!end) return false;
    rest = (struct str){end + 1, s.n - (size_t)(end - s.p) - 1};
    s = (struct str){s.p + 1, (size_t)(end - s.p) - 1};
  } else {
    const char *colon = s.n ? memchr(s.p, ':', s.n) : NULL;
    bool one = colon && !memchr(colon + 1, ':', s.n - (size_t)(colon - s.p) - 1);
    if (one) {
      rest = str_cut(s, (size_t)(colon - s.p), s.n);
      s = str_cut(s, 0, (size_t)(colon - s.p));
    }
  }
  *bare = s;
  return (rest.n == 0 || is_port(rest)) && address_parse(s, out);
}

bool network_parse(struct str text, struct network *out)
{
  const char *slash = text.n ? memchr(text.p, '/', text.n) : NULL;
  struct str address = slash ? str_cut(text, 0, (size_t)(slash - text.p)) : text;
  bool four = address.n && !memchr(address.p, ':', address.n);
  uint64_t bits = four ? 32 : 128;
  if (!address_parse(address, &out->address)) return false;
  if (slash && (!str_u64(str_cut(text, address.n + 1, text.n), &bits) || bits > (four ? 32u : 128u))) return false;
  out->bits = (unsigned)bits + (four ? 96 : 0);
  return true;
}

bool network_has(const struct network *network, const struct address *address)
{
  unsigned whole = network->bits / 8, left = network->bits % 8;
  if (memcmp(network->address.bytes, address->bytes, whole) != 0) return false;
  uint8_t mask = (uint8_t)(0xff00 >> left);
  return left == 0 || ((network->address.bytes[whole] ^ address->bytes[whole]) & mask) == 0;
}
