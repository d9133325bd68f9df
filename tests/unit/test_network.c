/* Addresses and networks, whose word about an address is believed, and what the plan's file switches. */
#include "base/network.h"
#include "gateway/client.h"
#include "gateway/plan.h"
#include "tests/test.h"

static void parse(const char *text, bool want)
{
  struct network n;
  CASE_BEGIN();
  CHECK_INT(network_parse(str_of(text), &n), want);
  CASE_END("\"%s\" is %s network", text, want ? "a" : "no");
}

static void has(const char *network, const char *address, bool want)
{
  struct network n;
  struct address a;
  CASE_BEGIN();
  CHECK(network_parse(str_of(network), &n) && address_parse(str_of(address), &a));
  CHECK_INT(network_has(&n, &a), want);
  CASE_END("%s %s %s", network, want ? "has" : "has not", address);
}

static void find(const char *text, const char *want)
{
  struct str bare;
  struct address a;
  CASE_BEGIN();
  bool found = address_find(str_of(text), &bare, &a);
  CHECK_INT(found, want != NULL);
  if (found && want) CHECK_STR(bare, want);
  CASE_END("in \"%s\" is %s", text, want ? want : "no address");
}

static struct config_proxy proxies[] = {{"10.0.0.0/8"}, {"2001:db8::/32"}};
static const struct config_context trusting = {.proxies = proxies, .n_proxies = 2}, trusting_none = {0};

static void client(const char *connection, const char *forwarded, const char *want)
{
  CASE_BEGIN();
  CHECK_STR(client_address(&trusting, str_of(connection), str_of(forwarded)), want);
  CASE_END("from %s, forwarded for \"%.60s\": %s", connection, forwarded, want);
}

static void without_proxies_nothing_is_believed(void)
{
  CHECK_STR(client_address(&trusting_none, STR("10.0.0.1"), STR("203.0.113.9")), "10.0.0.1");
  CHECK_STR(client_address(&trusting_none, STR("unix:"), STR("203.0.113.9")), "unix:");
}

static void a_long_list_ends(void)
{
  static char list[40000];
  for (size_t i = 0; i + 9 < sizeof list; i += 9) memcpy(list + i, "10.0.0.1,", 9);
  CHECK_STR(client_address(&trusting, STR("10.0.0.2"), (struct str){list, 39996 / 9 * 9 - 1}), "10.0.0.1");
}

static void plan(const char *text, enum config_switch first, enum config_switch second, enum config_switch third)
{
  static const struct config_workspace with = {.name = "w", .subscription_id = "sub-1"}, without = {.name = "v"};
  static struct config_deployment deployments[] = {
      {.name = "a", .workspace = &with},
      {.name = "b", .workspace = &with, .resource_id = "/subscriptions/sub-2/resourceGroups/g"},
      {.name = "c", .workspace = &without, .resource_id = "/providers/x"}};
  static const struct config config = {.deployments = deployments, .n_deployments = 3};
  enum config_switch out[3] = {CONFIG_ON, CONFIG_ON, CONFIG_ON};
  CASE_BEGIN();
  plan_read(&config, str_of(text), out);
  CHECK_INT(out[0], first);
  CHECK_INT(out[1], second);
  CHECK_INT(out[2], third);
  CASE_END("a plan of %zu bytes", strlen(text));
}

static void plans(void)
{
  plan("", CONFIG_INHERIT, CONFIG_INHERIT, CONFIG_INHERIT);
  plan("sub-1 on\n", CONFIG_ON, CONFIG_INHERIT, CONFIG_INHERIT);
  plan("SUB-1 off\nsub-2 on", CONFIG_OFF, CONFIG_ON, CONFIG_INHERIT);
  plan("00000000-0000-0000-0000-000000000000 off\n", CONFIG_INHERIT, CONFIG_INHERIT, CONFIG_OFF);
  plan("sub-1 on\nsub-1 off\n", CONFIG_OFF, CONFIG_INHERIT, CONFIG_INHERIT);
  plan("sub-1\nsub-1 \nsub-1 onx\n sub-1 on\nsub-1  on\nsub-1 on\r\n\n\non\n", CONFIG_INHERIT, CONFIG_INHERIT, CONFIG_INHERIT);
}

int main(void)
{
  static const char *const good[] = {"10.0.0.0/8", "10.0.0.1", "0.0.0.0/0", "10.0.0.0/32", "::/0", "2001:db8::/128", "::1"};
  static const char *const bad[] = {"",  "10.0.0.0/33", "10.0.0/8",   "::/129", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8x", "/8",
                                    "x", "[::1]",       "10.0.0.1:8", "::1%lo", "010.1.1.1", "1.2.3.4.5",   "10.0.0.0/8/8"};
  for (size_t i = 0; i < sizeof good / sizeof *good; i++) parse(good[i], true);
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) parse(bad[i], false);
  has("10.0.0.0/8", "10.255.255.255", true);
  has("10.0.0.0/8", "11.0.0.0", false);
  has("10.128.0.0/9", "10.127.255.255", false);
  has("10.128.0.0/9", "10.128.0.0", true);
  has("0.0.0.0/0", "203.0.113.1", true);
  has("0.0.0.0/0", "2001:db8::1", false);
  has("192.0.2.1", "192.0.2.1", true);
  has("192.0.2.1", "192.0.2.2", false);
  has("192.0.2.0/31", "192.0.2.2", false);
  has("2001:db8::/33", "2001:db8:7fff::", true);
  has("2001:db8::/33", "2001:db8:8000::", false);
  has("10.0.0.0/8", "::ffff:10.1.2.3", true);
  find("203.0.113.9", "203.0.113.9");
  find(" 203.0.113.9:4711\t", "203.0.113.9");
  find("\"[2001:db8::1]:443\"", "2001:db8::1");
  find("[2001:db8::1]", "2001:db8::1");
  find("2001:db8::1", "2001:db8::1");
  find("203.0.113.9:", NULL);
  find("203.0.113.9:65536", NULL);
  find("[2001:db8::1", NULL);
  find("unknown", NULL);
  find("_hidden", NULL);
  find("", NULL);
  find("127.0.0.1, 10.0.0.1", NULL);
  client("198.51.100.1", "203.0.113.9", "198.51.100.1");
  client("10.0.0.1", "203.0.113.9", "203.0.113.9");
  client("10.0.0.1", "1.2.3.4, 203.0.113.9", "203.0.113.9");
  client("10.0.0.1", "1.2.3.4, 203.0.113.9:1234, 10.9.9.9", "203.0.113.9");
  client("2001:db8::1", "\"[2001:dead::1]:80\"", "2001:dead::1");
  client("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3");
  client("10.0.0.1", "203.0.113.9, <script>, 10.0.0.2", "10.0.0.2");
  client("10.0.0.1", "<script>", "10.0.0.1");
  client("10.0.0.1", ",,,", "10.0.0.1");
  client("10.0.0.1", "", "10.0.0.1");
  client("unix:", "203.0.113.9", "203.0.113.9");
  client("not an address", "203.0.113.9", "not an address");
  RUN(without_proxies_nothing_is_believed);
  RUN(a_long_list_ends);
  plans();
  return test_end();
}
