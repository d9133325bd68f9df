/*
 * The response: taken out of its coding, read by wire, or passed on; and what happens when that fails.
 */
#include "gateway/media_type.h"
#include "gateway/opinion.h"

/* ---- head ------------------------------------------------------------------------------------------------------- */

static enum exchange_mode pass(struct exchange *x, const char *why)
{
  x->mode = BODY_PASS;
  x->record.response.inspected = VDT_NONE;
  x->record.response.not_inspected = str_of(why);
  return EXCHANGE_PASS_BODY;
}

/* A response that cannot be inspected: policy decides. */
static enum exchange_mode uninspectable(struct exchange *x, const char *why)
{
  pass(x, why);
  exchange_note_failure(x, why);
  if (!exchange_fails_closed(x)) {
    x->record.failed_open = true;
    return EXCHANGE_PASS_BODY;
  }
  x->record.failed_closed = true;
  x->over = true;
  exchange_refuse(x, VDT_EUPSTREAM,
                  "The model's answer could not be inspected, and this deployment refuses what is not inspected.");
  return EXCHANGE_REFUSE;
}

static enum exchange_mode read_answer(struct exchange *x, enum wire_mode mode)
{
  const struct config_limits *limits = &x->image->config->limits;
  const struct vdt_policy *policy = exchange_policy(x);
  opinion_annotate(x);
  struct wire_response_options opt = {
      .mode = mode,
      /* Nothing is said about a prompt that was not read. */
      .annotate = policy->annotate && x->request_read && !x->record.failed_open,
      .shield = x->shield,
      .max_body = limits->max_response_body,
      .limits = {limits->json_depth, JSON_LIMITS_DEFAULT.nodes},
      .n = x->n,
  };
  x->hooks = exchange_hooks(x);
  x->wire_mode = mode;
  if (wire_response_new(x->format, x->arena, &opt, &x->hooks, &x->wire)) return uninspectable(x, "out of memory");
  x->mode = BODY_WIRE;
  x->record.stream = mode != WIRE_JSON;
  return mode != WIRE_JSON ? EXCHANGE_STREAM : EXCHANGE_WHOLE;
}

/* The content of a file at the upstream: what a batch says comes like this, whatever its type says. */
static bool is_file(const struct exchange *x, struct str content_type)
{
  static const struct str end = {"/content", 8};
  struct str path = x->record.path;
  bool content = path.n > end.n && str_eq(str_cut(path, path.n - end.n, path.n), end);
  return content && wire_is_unknown(x->format) && is_bytes(content_type);
}

static bool has_no_body(unsigned status)
{
  return status < 200 || status == 204 || status == 304;
}

enum exchange_mode exchange_response_head(struct exchange *x, unsigned status, struct str content_type,
                                          struct str content_encoding)
{
  enum coding coding = coding_of(content_encoding);
  x->record.status = status;
  inflater_init(&x->inflater, coding);
  bool readable = status == 200 && coding != CODING_UNKNOWN &&
                  (is_event_stream(content_type) || is_json_lines(content_type) || is_json(content_type));
  if (status == 200 && coding != CODING_UNKNOWN && is_file(x, content_type)) {
    x->mode = BODY_FIRST;
    return EXCHANGE_STREAM;
  }
  if (!x->format || (wire_is_unknown(x->format) && !readable)) return pass(x, "unknown path");
  if (has_no_body(status)) {
    x->mode = BODY_PASS;
    return EXCHANGE_PASS_BODY;
  }
  if (coding == CODING_UNKNOWN) return uninspectable(x, "content coding");
  if (status == 200 && is_event_stream(content_type)) return read_answer(x, WIRE_SSE);
  if (status == 200 && is_json_lines(content_type)) return read_answer(x, WIRE_LINES);
  if (status == 200 && is_json(content_type)) return read_answer(x, WIRE_JSON);
  if (status < 400 || !is_json(content_type)) return uninspectable(x, status == 200 ? "content type" : "status and content type");
  x->mode = BODY_ERROR;
  return EXCHANGE_WHOLE;
}

void exchange_response_label(struct exchange *x, struct str label)
{
  exchange_say_label(x, label);
}

/* ---- failures --------------------------------------------------------------------------------------------------- */

static bool is_stream(const struct exchange *x)
{
  return x->mode == BODY_WIRE && x->wire_mode != WIRE_JSON;
}

/* Nothing of a whole body may leave, or nothing more of a stream. */
static void give_up(struct exchange *x, const char *why, bool *done)
{
  x->over = true;
  if (is_stream(x)) {
    *done = true;
    return;
  }
  x->spoiled = true;
  x->record.response.inspected = VDT_NONE;
  x->record.response.not_inspected = str_of(why);
}

/* What has not left goes out uninspected. */
static void fail_open(struct exchange *x, struct buf *out, bool *done)
{
  x->record.failed_open = x->passing = true;
  if (x->mode == BODY_ERROR) {
    pass(x, "error body larger than limits.max_response_body");
    buf_put(out, buf_str(&x->gathered));
    buf_finish(&x->gathered);
    return;
  }
  wire_response_fail_open(x->wire, out);
  if (!wire_response_info(x->wire)->done) return;
  /* Text that was masked would have left unmasked: wire has ended the response instead. */
  x->record.failed_open = false;
  x->record.failed_closed = true;
  x->over = true;
  if (is_stream(x)) *done = true;
  else x->record.status = 502;
}

static void fail(struct exchange *x, int code, struct buf *out, bool *done)
{
  const char *why = code == VDT_ETOOBIG ? "response larger than limits.max_response_body" : vdt_strerror(code);
  exchange_note_failure(x, why);
  if (!exchange_fails_closed(x)) {
    fail_open(x, out, done);
    return;
  }
  x->record.failed_closed = true;
  if (is_stream(x)) {
    x->record.response.inspected = VDT_PARTIAL;
    x->record.response.not_inspected = str_of(why);
  }
  give_up(x, why, done);
}

/* The coding is broken: nothing is left that could pass, whatever policy says. */
static void fail_coding(struct exchange *x, int code, bool *done)
{
  const char *why = code == VDT_ENOMEM ? "out of memory" : "the upstream's content coding is broken or hides too much";
  exchange_note_failure(x, why);
  x->record.failed_closed = exchange_fails_closed(x);
  if (is_stream(x)) {
    x->record.response.inspected = VDT_PARTIAL;
    x->record.response.not_inspected = str_of(why);
  }
  give_up(x, why, done);
}

/* ---- body ------------------------------------------------------------------------------------------------------- */

static int gather_error(struct exchange *x, struct str in)
{
  buf_put(&x->gathered, in);
  if (x->gathered.failed) return VDT_ENOMEM;
  return x->gathered.n > x->image->config->limits.max_response_body ? VDT_ETOOBIG : VDT_OK;
}

static void feed_plain(struct exchange *x, struct str in, struct buf *out, bool *done)
{
  x->record.response.bytes += in.n;
  if (x->mode == BODY_FIRST && in.p[0] == '{' && read_answer(x, WIRE_LINES) == EXCHANGE_REFUSE) {
    *done = true;
    return;
  }
  if (x->mode == BODY_FIRST) pass(x, "bytes of a file");
  if (x->mode == BODY_PASS) {
    buf_put(out, in);
    return;
  }
  int rc = x->mode == BODY_ERROR ? gather_error(x, in) : wire_response_feed(x->wire, in, out);
  if (rc) fail(x, rc, out, done);
  else if (x->mode == BODY_WIRE && wire_response_info(x->wire)->done) x->over = *done = true;
}

int exchange_response_feed(struct exchange *x, struct str in, struct buf *out, bool *done)
{
  if (x->over || x->mode == BODY_NONE || in.n == 0) return VDT_OK;
  /* An untouched body leaves in its coding; one that failed open has lost it already. */
  bool plain = x->inflater.coding == CODING_IDENTITY || (x->mode == BODY_PASS && !x->inflater.in);
  if (plain) {
    feed_plain(x, in, out, done);
  } else {
    buf_reset(&x->inflated);
    int rc = inflater_feed(&x->inflater, in, 0, &x->inflated);
    if (x->inflated.n) feed_plain(x, buf_str(&x->inflated), out, done);
    if (rc && !x->over) fail_coding(x, rc, done);
  }
  return out->failed ? VDT_ENOMEM : VDT_OK;
}

/* ---- end -------------------------------------------------------------------------------------------------------- */

static void finish_error(struct exchange *x, struct buf *out)
{
  struct wire_upstream_verdict v;
  struct str body = x->gathered.n ? buf_str(&x->gathered) : STR("");
  struct vdt_arena *scratch = vdt_arena_new(((size_t)16 << 20) + 16 * body.n);
  if (scratch && wire_error_verdict(scratch, body, &v)) exchange_add_upstream(x, &v, true);
  vdt_arena_free(scratch);
  buf_put(out, body);
}

/* A whole answer with a call that policy stops gives way to what the family says of filtered content. */
static void deny(struct exchange *x, size_t begin, struct buf *out)
{
  out->n = begin;
  exchange_block(x);
  buf_put(out, buf_str(&x->answer));
}

static void finish_wire(struct exchange *x, bool truncated, struct buf *out)
{
  bool done = false;
  size_t begin = out->n;
  int rc = wire_response_finish(x->wire, truncated, out);
  if (rc) fail(x, rc, out, &done);
  if (!x->verdict_taken) exchange_add_upstream(x, &wire_response_info(x->wire)->upstream, false);
  if (x->tool_denied && x->wire_mode == WIRE_JSON && !x->passing) deny(x, begin, out);
}

static void spoil(struct exchange *x, const char *why)
{
  bool done;
  exchange_note_failure(x, why);
  give_up(x, why, &done);
}

int exchange_response_finish(struct exchange *x, bool truncated, struct buf *out)
{
  bool whole = x->mode == BODY_ERROR || (x->mode == BODY_WIRE && x->wire_mode == WIRE_JSON);
  bool cut_short = !inflater_complete(&x->inflater);
  if (whole && !x->over && !x->passing && (truncated || cut_short))
    spoil(x, truncated ? "the upstream broke off" : "the content coding is cut short");
  if (!x->over && cut_short) exchange_note_failure(x, "the content coding is cut short");
  if (!x->over && x->mode == BODY_WIRE) finish_wire(x, truncated || cut_short, out);
  if (!x->over && x->mode == BODY_ERROR) finish_error(x, out);
  if (x->spoiled) {
    exchange_refuse(x, VDT_EUPSTREAM,
                    x->record.failed_closed
                        ? "The model's answer could not be inspected, and this deployment refuses what is not inspected."
                        : "The model's answer did not arrive whole.");
    buf_put(out, buf_str(&x->answer));
  }
  x->over = true;
  return out->failed ? VDT_ENOMEM : VDT_OK;
}
