/*
 * Sharing with Purview, the part of it that is ours: where AIPromptSharingWithPurview is on for a subscription, each of its interactions becomes
 * an audit record in the field layout of the Office 365 Management Activity API, a line of JSON in STATE/workspaces/NAME/sharing/DAY.jsonl. Who
 * runs a connector to Purview takes it from there; vedette itself sends nothing. No text of a prompt or an answer is in it, as in those of Microsoft.
 *
 * Lines are gathered and written before the batch that they belong to is committed: none is lost, and after a crash some may come twice, with the
 * same Id.
 */
#ifndef API_SHARING_H
#define API_SHARING_H
#include "record/record.h"

struct sharing {
  char folder[4096];
  struct buf lines;
};

/* Makes nothing yet: the folder is made with its first line. */
void sharing_open(struct sharing *s, const char *state_dir, struct str workspace);
void sharing_close(struct sharing *s);
/* Adds a line; check lines.failed, or let sharing_write do it. */
void sharing_add(struct sharing *s, const struct record *r);
/* Appends what was gathered to the file of the day. EIO, ENOMEM: it is still gathered. */
int sharing_write(struct sharing *s, uint64_t now_us, struct vdt_error *err);
/* Forgets what was gathered. */
void sharing_drop(struct sharing *s);
#endif
