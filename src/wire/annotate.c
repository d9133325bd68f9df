/*
 * Azure's content-filter annotations. Only categories that we judge are claimed; docs/wire.md says which of our
 * detectors stands under which of Azure's names.
 */
#include "wire/annotate.h"
#include "base/json.h"

static const char *word(bool b)
{
  return b ? "true" : "false";
}

static bool any_filtered(const struct wire_lists *lists)
{
  bool any = false;
  for (size_t i = 0; i < lists->n; i++) any |= lists->v[i].filtered;
  return any;
}

/* The entries of custom_blocklists.details. */
static void put_lists(const struct wire_lists *lists, bool first, bool redacted, struct buf *out)
{
  for (size_t i = 0; i < lists->n; i++, first = false) {
    buf_printf(out, "%s{\"id\":", first ? "" : ",");
    json_quote(out, str_of(lists->v[i].name));
    buf_printf(out, ",\"filtered\":%s", word(lists->v[i].filtered));
    if (redacted) buf_printf(out, ",\"redacted\":%s", word(lists->v[i].redacted));
    BUF_LIT(out, "}");
  }
}

void wire_prompt_annotation(const struct wire_shield *s, struct buf *out)
{
  BUF_LIT(out, "{");
  if (s->lists.n) {
    buf_printf(out, "\"custom_blocklists\":{\"filtered\":%s,\"details\":[", word(any_filtered(&s->lists)));
    put_lists(&s->lists, true, false, out);
    BUF_LIT(out, "]},");
  }
  buf_printf(out, "\"indirect_attack\":{\"detected\":%s,\"filtered\":%s},\"jailbreak\":{\"detected\":%s,\"filtered\":%s}}",
             word(s->indirect_detected), word(s->indirect_filtered), word(s->jailbreak_detected), word(s->jailbreak_filtered));
}

void annotate_prompt(const struct wire_shield *shield, struct buf *out)
{
  BUF_LIT(out, "\"prompt_filter_results\":[{\"prompt_index\":0,\"content_filter_results\":");
  wire_prompt_annotation(shield, out);
  BUF_LIT(out, "}]");
}

void annotate_choice(const struct wire_choice_shield *s, struct buf *out)
{
  buf_printf(out, "\"content_filter_results\":{\"custom_blocklists\":{\"filtered\":%s,\"details\":[",
             word(s->credential_filtered || any_filtered(&s->lists)));
  if (s->credential_detected)
    buf_printf(out, "{\"id\":\"vedette-credential\",\"filtered\":%s,\"redacted\":%s}", word(s->credential_filtered),
               word(s->credential_redacted));
  put_lists(&s->lists, !s->credential_detected, true, out);
  buf_printf(out, "]},\"personally_identifiable_information\":{\"detected\":%s,\"filtered\":%s,\"redacted\":%s}}",
             word(s->sensitive_detected), word(s->sensitive_filtered), word(s->sensitive_redacted));
}
