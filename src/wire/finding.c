#include "wire/finding.h"
#include "base/json.h"

static void put_number(struct buf *b, double v)
{
  buf_printf(b, "%.4g", v);
}

/* The sensitive information type of Purview. */
static void put_type(struct buf *b, const struct vdt_finding *f)
{
  BUF_LIT(b, ", \"type\": ");
  json_quote(b, str_of(f->type));
  if (!f->type_id) return;
  BUF_LIT(b, ", \"type_id\": ");
  json_quote(b, str_of(f->type_id));
}

static void put_why(struct buf *b, unsigned why)
{
  bool first = true;
  BUF_LIT(b, ", \"why\": [");
  for (unsigned i = 0; vdt_why_name(i); i++) {
    if (!(why >> i & 1)) continue;
    if (!first) BUF_LIT(b, ", ");
    json_quote(b, str_of(vdt_why_name(i)));
    first = false;
  }
  BUF_LIT(b, "]");
}

void finding_write(const struct vdt_finding *f, struct str text, struct str part, bool show_secrets, struct buf *b)
{
  BUF_LIT(b, "{\"detector\": ");
  json_quote(b, str_of(vdt_detector_name(f->detector)));
  BUF_LIT(b, ", \"kind\": ");
  json_quote(b, str_of(f->rule));
  BUF_LIT(b, ", \"title\": ");
  json_quote(b, str_of(f->title));
  BUF_LIT(b, ", \"alert\": ");
  json_quote(b, str_of(f->alert));
  buf_printf(b, ", \"severity\": \"%s\", \"action\": \"%s\", \"confidence\": ", vdt_severity_name(f->severity),
             vdt_action_name(f->action));
  put_number(b, f->confidence / 100.0);
  if (part.n) {
    BUF_LIT(b, ", \"part\": ");
    json_quote(b, part);
  }
  buf_printf(b, ", \"start\": %llu, \"end\": %llu, \"reason\": ", (unsigned long long)f->start, (unsigned long long)f->end);
  json_quote(b, str_of(f->reason));
  if (f->why) put_why(b, f->why);
  if (f->type) put_type(b, f);
  if (f->redacted[0]) {
    BUF_LIT(b, ", \"redacted\": ");
    json_quote(b, show_secrets ? str_cut(text, f->start, f->end) : str_of(f->redacted));
  }
  if (f->n_layers) {
    BUF_LIT(b, ", \"decoded\": ");
    json_quote(b, str_of(f->decoded));
    BUF_LIT(b, ", \"layers\": [");
    for (unsigned i = 0; i < f->n_layers; i++) {
      if (i) BUF_LIT(b, ", ");
      json_quote(b, str_of(f->layers[i]));
    }
    BUF_LIT(b, "]");
  }
  BUF_LIT(b, "}");
}
