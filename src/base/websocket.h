/*
 * WebSocket framing (RFC 6455): bytes in, whole messages and control frames out; and frames written. No I/O, no handshake, no
 * extensions: a frame with a reserved bit is an error, so nothing compressed gets by unread.
 *
 * However the bytes are cut, the same comes out. Fragments are joined; control frames between them come out at once. Memory is bounded
 * by one message of at most `max` bytes.
 */
#ifndef BASE_WEBSOCKET_H
#define BASE_WEBSOCKET_H
#include "base/buf.h"

enum ws_kind { WS_CONTINUATION = 0, WS_TEXT = 1, WS_BINARY = 2, WS_CLOSE = 8, WS_PING = 9, WS_PONG = 10 };

/* Why a connection is closed (RFC 6455, 7.4.1). */
enum ws_code {
  WS_NORMAL = 1000,
  WS_PROTOCOL_ERROR = 1002,
  WS_UNSUPPORTED = 1003,
  WS_INVALID = 1007, /* a text that is no text */
  WS_POLICY = 1008,
  WS_TOO_BIG = 1009,
  WS_INTERNAL = 1011,
};

enum { WS_CONTROL_MAX = 125, WS_HEAD_MAX = 14 };

/* What one side sends. Set masked and max, zero the rest. */
struct websocket {
  bool masked; /* frames have to be masked, as a client's are; else they may not be */
  size_t max;  /* largest message */

  unsigned error; /* enum ws_code, 0: none. Nothing more is read after one */
  bool closed;    /* a close frame was read. Nothing more is read after it */

  enum ws_kind kind; /* of the message whose fragments come; WS_CONTINUATION: none */
  struct buf message;
  unsigned char head[WS_HEAD_MAX], control[WS_CONTROL_MAX];
  size_t head_n, control_n;
  uint64_t left; /* payload of the frame that is still to come */
  unsigned mask_at;
  bool in_frame, given;
};

/* TEXT and BINARY: a whole message; the text may be no UTF-8. CLOSE: the code in two bytes and the reason, or nothing. */
struct ws_message {
  enum ws_kind kind;
  struct str data; /* good until the next call */
};

/* Takes bytes off *in up to the end of the next message or control frame. False: all of it is taken and more is needed, or w->error or
 * w->closed is set. */
bool websocket_next(struct websocket *w, struct str *in, struct ws_message *out);
void websocket_finish(struct websocket *w);

/* Appends data as one frame; mask: 4 bytes for what a client sends, NULL for what a server sends. */
void websocket_put(struct buf *out, enum ws_kind kind, struct str data, const unsigned char *mask);
/* Appends a close frame; of the reason at most 123 bytes. */
void websocket_put_close(struct buf *out, unsigned code, const char *reason, const unsigned char *mask);
#endif
