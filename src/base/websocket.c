/* WebSocket framing: see base/websocket.h. */
#include "base/websocket.h"

enum { KEPT = 65536 };
enum { FIN = 0x80, RESERVED = 0x70, OPCODE = 0x0f, MASK = 0x80, LENGTH = 0x7f, LENGTH_16 = 126, LENGTH_64 = 127 };

void websocket_finish(struct websocket *w)
{
  buf_finish(&w->message);
}

/* ---- reading ---------------------------------------------------------------------------------------------------- */

static size_t head_size(const struct websocket *w)
{
  if (w->head_n < 2) return 2;
  unsigned length = w->head[1] & LENGTH;
  size_t bytes = length == LENGTH_16 ? 2 : length == LENGTH_64 ? 8 : 0;
  return 2 + bytes + (w->head[1] & MASK ? 4u : 0u);
}

static bool take_head(struct websocket *w, struct str *in)
{
  while (w->head_n < head_size(w)) {
    if (!in->n) return false;
    w->head[w->head_n++] = (unsigned char)in->p[0];
    *in = str_cut(*in, 1, in->n);
  }
  return true;
}

static enum ws_kind opcode(const struct websocket *w)
{
  return (enum ws_kind)(w->head[0] & OPCODE);
}

static bool is_control(const struct websocket *w)
{
  return (w->head[0] & OPCODE) >= WS_CLOSE;
}

/* The length, which has to stand in its shortest form; the highest bit of 64 may not be set. */
static bool read_length(struct websocket *w)
{
  unsigned length = w->head[1] & LENGTH, bytes = length == LENGTH_16 ? 2 : length == LENGTH_64 ? 8 : 0;
  w->left = bytes ? 0 : length;
  for (unsigned i = 0; i < bytes; i++) w->left = w->left << 8 | w->head[2 + i];
  if (bytes == 2) return w->left > 125;
  if (bytes == 8) return w->left > 0xffff && w->left >> 63 == 0;
  return true;
}

static bool is_known(const struct websocket *w)
{
  switch (opcode(w)) {
  case WS_CONTINUATION: return w->kind != WS_CONTINUATION;
  case WS_TEXT:
  case WS_BINARY: return w->kind == WS_CONTINUATION;
  case WS_CLOSE:
  case WS_PING:
  case WS_PONG: return w->head[0] & FIN && w->left <= WS_CONTROL_MAX;
  }
  return false;
}

static void begin_frame(struct websocket *w)
{
  bool fits = read_length(w), masked = w->head[1] & MASK;
  w->in_frame = true;
  w->control_n = w->mask_at = 0;
  if (!fits || w->head[0] & RESERVED || masked != w->masked || !is_known(w)) w->error = WS_PROTOCOL_ERROR;
  else if (!is_control(w) && w->left > w->max - w->message.n) w->error = WS_TOO_BIG;
  else if (opcode(w) == WS_TEXT || opcode(w) == WS_BINARY) w->kind = opcode(w);
}

static void unmask(struct websocket *w, char *p, size_t n)
{
  const unsigned char *mask = w->head + head_size(w) - 4;
  if (!w->masked) return;
  for (size_t i = 0; i < n; i++) p[i] = (char)((unsigned char)p[i] ^ mask[(w->mask_at + i) & 3]);
  w->mask_at = (unsigned)((w->mask_at + n) & 3);
}

static void take_payload(struct websocket *w, struct str *in)
{
  size_t n = in->n < w->left ? in->n : (size_t)w->left;
  if (!n) return;
  if (is_control(w)) {
    memcpy(w->control + w->control_n, in->p, n);
    unmask(w, (char *)w->control + w->control_n, n);
    w->control_n += n;
  } else {
    buf_put(&w->message, str_cut(*in, 0, n));
    if (w->message.failed) {
      w->error = WS_INTERNAL;
      return;
    }
    unmask(w, w->message.p + w->message.n - n, n);
  }
  w->left -= n;
  *in = str_cut(*in, n, in->n);
}

/* A close frame is empty, or begins with a code that may stand there. */
static bool is_close(const struct websocket *w)
{
  unsigned code = w->control_n < 2 ? 0 : (unsigned)w->control[0] << 8 | w->control[1];
  if (w->control_n == 0) return true;
  return (code >= 3000 && code <= 4999) || (code >= 1000 && code <= 1014 && (code < 1004 || code > 1006));
}

static bool end_frame(struct websocket *w, struct ws_message *out)
{
  bool fin = w->head[0] & FIN;
  w->in_frame = false;
  w->head_n = 0;
  if (is_control(w)) {
    *out = (struct ws_message){opcode(w), {(const char *)w->control, w->control_n}};
    w->closed = opcode(w) == WS_CLOSE;
    if (w->closed && !is_close(w)) w->error = WS_PROTOCOL_ERROR;
    return !w->error;
  }
  if (!fin) return false;
  *out = (struct ws_message){w->kind, w->message.n ? buf_str(&w->message) : STR("")};
  w->kind = WS_CONTINUATION;
  w->given = true;
  return true;
}

bool websocket_next(struct websocket *w, struct str *in, struct ws_message *out)
{
  if (w->given && w->message.cap > KEPT) buf_finish(&w->message); /* one large message is no reason to hold its memory for ever */
  if (w->given) buf_reset(&w->message);
  w->given = false;
  while (!w->error && !w->closed) {
    if (!w->in_frame) {
      if (!take_head(w, in)) return false;
      begin_frame(w);
    }
    if (!w->error) take_payload(w, in);
    if (w->error || w->left) return false;
    if (end_frame(w, out)) return true;
  }
  return false;
}

/* ---- writing ---------------------------------------------------------------------------------------------------- */

void websocket_put(struct buf *out, enum ws_kind kind, struct str data, const unsigned char *mask)
{
  unsigned bytes = data.n < LENGTH_16 ? 0 : data.n <= 0xffff ? 2 : 8;
  unsigned length = bytes == 8 ? LENGTH_64 : bytes ? LENGTH_16 : (unsigned)data.n;
  buf_byte(out, (char)(FIN | kind));
  buf_byte(out, (char)(length | (mask ? MASK : 0)));
  for (unsigned i = bytes; i > 0; i--) buf_byte(out, (char)((uint64_t)data.n >> (8 * (i - 1)) & 0xff));
  if (mask) buf_put(out, (struct str){(const char *)mask, 4});
  buf_put(out, data);
  if (!mask || out->failed) return;
  char *p = out->p + out->n - data.n;
  for (size_t i = 0; i < data.n; i++) p[i] = (char)((unsigned char)p[i] ^ mask[i & 3]);
}

void websocket_put_close(struct buf *out, unsigned code, const char *reason, const unsigned char *mask)
{
  char data[WS_CONTROL_MAX];
  size_t n = strlen(reason);
  if (n > sizeof data - 2) n = sizeof data - 2;
  data[0] = (char)(code >> 8);
  data[1] = (char)(code & 0xff);
  memcpy(data + 2, reason, n);
  websocket_put(out, WS_CLOSE, (struct str){data, n + 2}, mask);
}
