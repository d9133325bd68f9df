/*
 * The key pairs that evidence is sealed to, as text: one line per key.
 *
 *   vedette-public-1  WORKSPACE ID KEY     the gateway reads one of these
 *   vedette-private-1 WORKSPACE ID KEY     who reads evidence has one or more of these, the newest last; older ones open what was sealed before a rotation
 *
 * ID is 16 hex digits of a hash of the public key; KEY is base64. Empty lines and lines that begin with # are passed over. Pure: text in, text out. A
 * private key is never in an error.
 */
#ifndef RECORD_SEAL_KEY_H
#define RECORD_SEAL_KEY_H
#include "base/buf.h"
#include "vedette/vedette.h"

enum { SEAL_KEY_BYTES = 32, SEAL_KEY_ID = 16, SEAL_KEYS_MAX = 64, SEAL_KEY_FILE_MAX = 64 << 10, SEAL_WORKSPACE_MAX = 64 };

struct seal_public {
  unsigned char key[SEAL_KEY_BYTES];
  char id[SEAL_KEY_ID + 1];
};

/* All private keys of a workspace. In memory that is locked, and wiped when it is freed. */
struct seal_private {
  size_t n;
  struct {
    struct seal_public public;
    unsigned char key[SEAL_KEY_BYTES];
  } keys[SEAL_KEYS_MAX];
};

/* One key for the workspace; ECONFIG says what is wrong. name: of the file, for errors. */
int seal_public_read(struct str text, const char *name, struct str workspace, struct seal_public *out, struct vdt_error *err);
/* 1 to SEAL_KEYS_MAX keys. ECONFIG, ENOMEM. */
int seal_private_read(struct str text, const char *name, struct str workspace, struct seal_private **out, struct vdt_error *err);
/* Accepts NULL. */
void seal_private_free(struct seal_private *keys);

/* A new pair: appends its private line, and says the public half. EIO: no source of random numbers. */
int seal_key_make(struct str workspace, struct buf *private_line, struct seal_public *out, struct vdt_error *err);
/* Appends the public line. */
void seal_public_write(struct str workspace, const struct seal_public *key, struct buf *out);
/* Room in a buffer before private lines are read into it by file_read(): one that grows later leaves its old memory behind, unwiped. */
enum { SEAL_TEXT_ROOM = 4 * SEAL_KEY_FILE_MAX };
/* Wipes and frees a buffer that holds private lines. */
void seal_text_finish(struct buf *b);
#endif
