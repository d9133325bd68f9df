#include "analyse/access.h"
#include "analyse/alert.h"

static const struct {
  enum intel_kind kind;
  enum alert_type alert;
  const char *rule, *what;
} kinds[ACCESS_FINDINGS] = {
    {INTEL_TOR, ALERT_TOR_IP, "tor-exit", "is an exit of the Tor network"},
    {INTEL_MALICIOUS, ALERT_SUSPICIOUS_IP, "suspicious-address", "is a source of attacks"},
};

static bool add(unsigned which, const char *whose, const char *feed, struct vdt_arena *arena, struct record_finding *out)
{
  const struct alert_info *info = alert_info(kinds[which].alert);
  const char *reason = arena_printf(arena, "%s address %s, says the feed %s", whose, kinds[which].what, feed);
  *out = (struct record_finding){.direction = STR("request"),
                                 .role = STR("prompt"),
                                 .detector = STR("behaviour"),
                                 .rule = str_of(kinds[which].rule),
                                 .title = str_of(info->title),
                                 .alert = str_of(info->type),
                                 .severity = str_of(vdt_severity_name(info->severity)),
                                 .action = STR("detect"),
                                 .reason = str_of(reason),
                                 .source = STR("vedette"),
                                 .confidence = 90};
  return reason != NULL;
}

int access_observe(const struct vdt_intel *intel, const struct record *r, struct vdt_arena *arena,
                   struct record_finding out[ACCESS_FINDINGS], size_t *n)
{
  const struct {
    struct str text;
    const char *whose;
  } from[] = {{r->source_ip, "the end user's"}, {r->client_ip, "the client's"}};
  *n = 0;
  for (unsigned k = 0; k < ACCESS_FINDINGS; k++)
    for (unsigned i = 0; i < sizeof from / sizeof *from; i++) {
      struct str bare;
      struct address a;
      struct intel_match m;
      if (!from[i].text.n || !address_find(from[i].text, &bare, &a) || !intel_has_address(intel, 1u << kinds[k].kind, &a, &m))
        continue;
      if (!add(k, from[i].whose, m.feed, arena, &out[(*n)++])) return VDT_ENOMEM;
      break;
    }
  return VDT_OK;
}
