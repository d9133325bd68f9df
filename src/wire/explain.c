#include "wire/explain.h"
#include "base/json.h"

void explain_write(const struct vdt_explanation *why, struct buf *out)
{
  buf_printf(out, "\"rules\":%.4g,\"model\":%.4g,\"logit\":%.3f,\"category\":", why->rules, why->model, why->logit);
  json_quote(out, str_of(why->category ? why->category : ""));
  buf_printf(out, ",\"windows\":%zu,\"read\":%zu,\"spans\":[", why->windows, why->read);
  for (size_t i = 0; i < why->n_spans; i++)
    buf_printf(out, "%s{\"start\":%llu,\"end\":%llu,\"share\":%.2f}", i ? "," : "", (unsigned long long)why->spans[i].start,
               (unsigned long long)why->spans[i].end, why->spans[i].share);
  BUF_LIT(out, "]");
}
