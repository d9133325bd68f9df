#include "gateway/client.h"
#include "base/network.h"

static bool is_trusted(const struct config_context *context, const struct address *address)
{
  for (size_t i = 0; i < context->n_proxies; i++) {
    struct network n;
    if (network_parse(str_of(context->proxies[i].network), &n) && network_has(&n, address)) return true;
  }
  return false;
}

static bool connection_is_trusted(const struct config_context *context, struct str connection)
{
  struct address a;
  if (context->n_proxies == 0) return false;
  if (str_starts(connection, STR("unix:"))) return true;
  return address_parse(connection, &a) && is_trusted(context, &a);
}

/* Takes the last element off the list. */
static struct str take_last(struct str *list)
{
  size_t at = list->n;
  while (at && list->p[at - 1] != ',') at--;
  struct str last = str_cut(*list, at, list->n);
  list->n = at ? at - 1 : 0;
  return last;
}

struct str client_address(const struct config_context *context, struct str connection, struct str forwarded_for)
{
  struct str client = connection, bare;
  struct address a;
  if (!forwarded_for.n || !connection_is_trusted(context, connection)) return connection;
  while (forwarded_for.n) {
    if (!address_find(take_last(&forwarded_for), &bare, &a)) break;
    client = bare;
    if (!is_trusted(context, &a)) break;
  }
  return client;
}
