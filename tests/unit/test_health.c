/* What needs attention: each rule one below its limit, at it and above, and no other with it. */
#include "../test.h"
#include "api/health.h"
#include <stdlib.h>

static struct collect_stats stats;
static const uint64_t SECOND = 1000000, MIB = 1 << 20, T0 = UINT64_C(1764085575000000);

static struct health well(void)
{
  memset(&stats, 0, sizeof stats);
  stats.stored_us = T0 - SECOND;
  return (struct health){
      .now_us = T0, .writers = 2, .free_bytes = 50000 * MIB, .disk_bytes = 100000 * MIB, .audit_key = true, .stats = &stats};
}

/* The rules that are so, each with a blank behind it. */
static struct str needs(const struct health *h)
{
  static char out[512];
  struct buf b = {0};
  size_t n = 0;
  health_put(&b, h);
  buf_byte(&b, 0);
  out[0] = 0;
  for (const char *p = strstr(b.p, "\"attention\":"); p && (p = strstr(p, "\"id\":\"")); p++)
    n += (size_t)snprintf(out + n, sizeof out - n, "%.*s ", (int)strcspn(p + 6, "\""), p + 6);
  buf_finish(&b);
  return (struct str){out, n};
}

static void nothing_when_all_is_well(void)
{
  struct health h = well();
  CHECK_STR(needs(&h), "");
}

static void disk(void)
{
  struct health h = well();
  h.free_bytes = h.disk_bytes / 20;
  CHECK_STR(needs(&h), "");
  h.free_bytes--;
  CHECK_STR(needs(&h), "disk ");
  h.disk_bytes = 2000 * MIB;
  h.free_bytes = 1024 * MIB;
  CHECK_STR(needs(&h), "");
  h.free_bytes--;
  CHECK_STR(needs(&h), "disk ");
  h.disk_bytes = h.free_bytes = 0; /* the system does not say */
  CHECK_STR(needs(&h), "");
}

static void collecting(void)
{
  struct health h = well();
  stats.lag_us = 60 * SECOND;
  CHECK_STR(needs(&h), "");
  stats.lag_us++;
  CHECK_STR(needs(&h), "lag ");
  h = well();
  stats.store_errors = 1;
  CHECK_STR(needs(&h), "store-errors ");
  h = well();
  stats.rejected = 1;
  CHECK_STR(needs(&h), "rejected ");
  h = well();
  stats.unknown_workspace = 1;
  CHECK_STR(needs(&h), "unknown-workspace ");
  h = well();
  stats.stored_us = T0 - 86400 * SECOND;
  CHECK_STR(needs(&h), "");
  stats.stored_us -= SECOND;
  CHECK_STR(needs(&h), "silent ");
  stats.stored_us = 0; /* nothing since the start: nothing has fallen silent */
  CHECK_STR(needs(&h), "");
}

static void traffic(void)
{
  struct health h = well();
  h.requests = 400;
  h.not_inspected = h.failed = 19;
  CHECK_STR(needs(&h), "");
  h.not_inspected = 20;
  CHECK_STR(needs(&h), "not-inspected ");
  h.requests = 401;
  CHECK_STR(needs(&h), "");
  h.failed = 21;
  CHECK_STR(needs(&h), "failed ");
}

static void feeds_and_others(void)
{
  struct health h = well();
  h.feeds = 2;
  h.feeds_stale = 1;
  CHECK_STR(needs(&h), "feed-stale ");
  h.feeds_stale = 0;
  h.feeds_failed = 1;
  CHECK_STR(needs(&h), "feed-failed ");
  h = well();
  h.databases = h.databases_missing = 1;
  CHECK_STR(needs(&h), "database ");
  h = well();
  h.open_high = 1;
  CHECK_STR(needs(&h), "open-high ");
  h = well();
  h.audit_last = 3;
  h.audit_key = false;
  CHECK_STR(needs(&h), "audit-key ");
}

int main(void)
{
  RUN(nothing_when_all_is_well);
  RUN(disk);
  RUN(collecting);
  RUN(traffic);
  RUN(feeds_and_others);
  return test_end();
}
