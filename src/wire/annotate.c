/*
 * Azure's content-filter annotations. Only categories that we judge are claimed; docs/wire.md says which of our
 * detectors stands under which of Azure's names.
 */
#include "wire/annotate.h"

static const char *word(bool b)
{
  return b ? "true" : "false";
}

void wire_prompt_annotation(const struct wire_shield *s, struct buf *out)
{
  buf_printf(out, "{\"indirect_attack\":{\"detected\":%s,\"filtered\":%s},\"jailbreak\":{\"detected\":%s,\"filtered\":%s}}",
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
             word(s->credential_filtered));
  if (s->credential_detected)
    buf_printf(out, "{\"id\":\"vedette-credential\",\"filtered\":%s,\"redacted\":%s}", word(s->credential_filtered),
               word(s->credential_redacted));
  buf_printf(out, "]},\"personally_identifiable_information\":{\"detected\":%s,\"filtered\":%s,\"redacted\":%s}}",
             word(s->sensitive_detected), word(s->sensitive_filtered), word(s->sensitive_redacted));
}
