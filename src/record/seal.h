/*
 * Sealed evidence: text of the traffic, encrypted in the gateway so that only the holder of the workspace's private key can read it again.
 *
 * The scheme (docs/evidence.md says why):
 *   - A workspace has an X25519 key pair. Whoever seals knows the public key only.
 *   - A sealer makes a random root, wraps it with crypto_box_seal() for the workspace key, and forgets it; from it comes a chain of keys, one per
 *     sealed text, of which each is forgotten after its use (BLAKE2b, one way). So a process that is taken over cannot open what it sealed before.
 *   - The wrapped root is the data key. A new one is made each UTC day, after SEAL_STEPS texts, and in each process. Who deletes the data keys of a day has
 *     made everything unreadable that was sealed on it, also for the holder of the private key.
 *   - Each text is under XChaCha20-Poly1305. Bound to it are version, day, keys, step, workspace, interaction, what it is, and the rule: put into another
 *     place it does not open.
 *
 * A token is base64url without padding of: version (1 byte), day since 1970 (4, big-endian), id of the workspace key (8), wrapped root (80), step (2),
 * nonce (24), ciphertext with its tag.
 *
 * No I/O. Key material lies in memory that is locked and left out of core dumps (sodium_malloc), and never in errors.
 */
#ifndef RECORD_SEAL_H
#define RECORD_SEAL_H
#include "base/arena.h"
#include "base/buf.h"
#include "record/seal_key.h"

enum {
  SEAL_VERSION = 1,
  SEAL_WRAPPED = 80, /* bytes of a wrapped root */
  SEAL_ROOT_ID = 16, /* of its id */
  SEAL_STEPS = 256,  /* texts under one root */
  SEAL_NONCE = 24,
  SEAL_TAG = 16,
  SEAL_HEAD = 1 + 4 + SEAL_KEY_ID / 2 + SEAL_WRAPPED + 2 + SEAL_NONCE,
  SEAL_TEXT_MAX = 80 << 10,                                            /* bytes that are sealed at once */
  SEAL_TOKEN_MAX = (SEAL_HEAD + SEAL_TEXT_MAX + SEAL_TAG + 2) / 3 * 4, /* bytes of a token */
  SEAL_TOKEN_MIN = ((SEAL_HEAD + SEAL_TAG) * 4 + 2) / 3,
};

/* What the text is. */
enum seal_kind { SEAL_FINDING, SEAL_REQUEST, SEAL_RESPONSE };

/* Where it belongs: bound to it, but not in it. */
struct seal_place {
  struct str workspace, interaction;
  enum seal_kind kind;
  struct str rule; /* of a finding; else empty */
};

/* ---- sealing ---------------------------------------------------------------------------------------------------- */

struct sealer;
/* For one workspace, in the process that calls it: a fork has to make its own. NULL when out of memory. */
struct sealer *sealer_new(struct str workspace, const struct seal_public *to);
/* Accepts NULL. Wipes it. */
void sealer_free(struct sealer *s);
/* A data key takes as long to make as some ten texts to seal. Who calls this between two requests, whenever sealer_wants() says so, spares seal() that: it makes the next one
 * ahead, for the day of now_us. Without it seal() makes them itself. NULL wants nothing. */
bool sealer_wants(const struct sealer *s, uint64_t now_us);
void sealer_prepare(struct sealer *s, uint64_t now_us);
/* Appends the token; place->workspace is the sealer's. ETOOBIG beyond SEAL_TEXT_MAX, ENOMEM, EIO when libsodium fails; then nothing is appended. */
int seal(struct sealer *s, uint64_t now_us, const struct seal_place *place, struct str text, struct buf *token);

/* ---- tokens ----------------------------------------------------------------------------------------------------- */

/* A token taken apart. The store keeps the data key apart from the text, so that it can be deleted by itself. */
struct sealed {
  uint32_t day;
  char key[SEAL_KEY_ID + 1]; /* id of the workspace key that it is sealed to */
  unsigned char root_id[SEAL_ROOT_ID];
  struct str wrapped; /* SEAL_WRAPPED bytes; empty: shredded */
  struct str body;    /* step, nonce and ciphertext */
};
/* Only looks at length, characters and version; strings are in the arena. ESYNTAX says what is wrong without showing any of it. */
int sealed_read(struct str token, struct vdt_arena *arena, struct sealed *out, struct vdt_error *err);
/* Appends the token that it was. */
void sealed_write(const struct sealed *s, struct buf *token);
/* Characters and length that a token may have. */
bool sealed_looks_right(struct str token);
/* Days since 1970, UTC. */
uint32_t seal_day(uint64_t unix_us);

/* ---- opening ---------------------------------------------------------------------------------------------------- */

/* The text, in the arena. ENOTFOUND: none of the keys is the one that it is sealed to. ESTATE: its data key was shredded. EAUTH: it is damaged, or from
 * another place. err names the key's id and nothing else. */
int seal_open(const struct seal_private *keys, const struct seal_place *place, const struct sealed *s, struct vdt_arena *arena,
              struct str *text, struct vdt_error *err);

/* ---- several texts in one --------------------------------------------------------------------------------------- */

/* Appends a text behind its length. */
void seal_pack(struct buf *b, struct str text);
/* Takes the first off *packed; false at the end or when it is damaged. */
bool seal_unpack(struct str *packed, struct str *text);
#endif
