/* X-Forwarded-For, networks and the plan's file: an address that was not in the input is never the client's, and no file switches what it
 * does not name. */
#include "base/network.h"
#include "gateway/client.h"
#include "gateway/plan.h"
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void client(struct str text)
{
  static struct config_proxy proxies[] = {{"10.0.0.0/8"}, {"::1"}, {"192.0.2.0/24"}};
  static const struct config_context trusting = {.proxies = proxies, .n_proxies = 3}, none = {0};
  const struct str connection = STR("10.1.2.3"), stranger = STR("203.0.113.1");
  struct address a;
  struct str c = client_address(&trusting, connection, text);
  assert(address_parse(c, &a));
  assert(c.p == connection.p || (c.p >= text.p && c.p + c.n <= text.p + text.n));
  assert(client_address(&trusting, stranger, text).p == stranger.p);
  assert(client_address(&none, connection, text).p == connection.p);
}

static void network(struct str text)
{
  struct network n;
  struct address a;
  if (!network_parse(text, &n)) return;
  assert(n.bits <= 128 && network_has(&n, &n.address));
  n.bits = 128;
  if (address_parse(text, &a)) assert(network_has(&n, &a));
}

static void plan(struct str text)
{
  static const struct config_workspace workspace = {.name = "w", .subscription_id = "sub-1"};
  static struct config_deployment deployments[] = {
      {.name = "a", .workspace = &workspace},
      {.name = "b", .workspace = &workspace, .resource_id = "/subscriptions/sub-2/resourceGroups/g"}};
  static const struct config config = {.deployments = deployments, .n_deployments = 2};
  enum config_switch out[2] = {CONFIG_ON, CONFIG_ON};
  plan_read(&config, text, out);
  for (int i = 0; i < 2; i++) assert(out[i] == CONFIG_INHERIT || out[i] == CONFIG_ON || out[i] == CONFIG_OFF);
  if (text.n < 8) assert(out[0] == CONFIG_INHERIT && out[1] == CONFIG_INHERIT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct str text = {(const char *)data, size};
  client(text);
  network(text);
  plan(text);
  return 0;
}
