/*
 * What the upstream's own content filter says, in annotations and in the body of a filtered prompt. Spellings differ
 * between documentation, api-versions and live answers; all of them are read. A shape that we do not know says nothing.
 */
#include "wire/verdict.h"
#include "wire/format.h"

static void category(const struct json_doc *doc, uint32_t node, bool *detected, bool *filtered)
{
  *detected |= json_is(doc, wire_get(doc, node, "detected"), JSON_TRUE);
  *filtered |= json_is(doc, wire_get(doc, node, "filtered"), JSON_TRUE);
}

void verdict_results(const struct json_doc *doc, uint32_t results, struct wire_upstream_verdict *out)
{
  category(doc, wire_get(doc, results, "jailbreak"), &out->jailbreak_detected, &out->jailbreak_filtered);
  category(doc, wire_get(doc, results, "indirect_attack"), &out->indirect_detected, &out->indirect_filtered);
}

bool verdict_prompt(const struct json_doc *doc, struct wire_upstream_verdict *out)
{
  uint32_t list = json_get(doc, 0, "prompt_filter_results");
  if (!list) list = json_get(doc, 0, "prompt_annotations");
  if (!json_is(doc, list, JSON_ARRAY)) return false;
  for (uint32_t i = json_first(doc, list); i; i = json_next(doc, list, i))
    verdict_results(doc, wire_get(doc, i, "content_filter_results"), out);
  return true;
}

static uint32_t either(const struct json_doc *doc, uint32_t node, const char *a, const char *b)
{
  uint32_t found = wire_get(doc, node, a);
  return found ? found : wire_get(doc, node, b);
}

void verdict_filters(const struct json_doc *doc, uint32_t list, struct wire_upstream_verdict *out)
{
  if (!json_is(doc, list, JSON_ARRAY)) return;
  for (uint32_t f = json_first(doc, list); f; f = json_next(doc, list, f))
    if (json_is(doc, f, JSON_OBJECT)) verdict_results(doc, json_get(doc, f, "content_filter_results"), out);
}

bool wire_error_verdict(struct vdt_arena *arena, struct str body, struct wire_upstream_verdict *out)
{
  struct json_doc doc;
  *out = (struct wire_upstream_verdict){0};
  if (json_parse(arena, body, NULL, &doc, NULL)) return false;
  uint32_t error = json_get(&doc, 0, "error");
  if (!json_string_is(&doc, wire_get(&doc, error, "code"), "content_filter")) return false;
  uint32_t inner = either(&doc, error, "innererror", "inner_error");
  verdict_results(&doc, either(&doc, inner, "content_filter_result", "content_filter_results"), out);
  verdict_results(&doc, either(&doc, error, "content_filter_result", "content_filter_results"), out);
  verdict_filters(&doc, wire_get(&doc, error, "content_filters"), out);
  return true;
}
