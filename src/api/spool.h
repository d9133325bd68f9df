/* The spool folder: which journals there are, reading them, telling when one is finished. Only for collect. */
#ifndef API_SPOOL_H
#define API_SPOOL_H
#include "base/buf.h"

struct spool_file {
  char name[64];
  uint64_t pid, start;
  uint64_t offset, rejected_to; /* read so far; lines before rejected_to are in rejected.jsonl already */
  bool known, skipping;         /* the offset was asked for; in the middle of a line that is too long */
  bool seen;                    /* in the last listing */
};

struct spool {
  int fd;
  struct spool_file *files;
  size_t n, cap;
};

/* The folder of a workspace's journals, or (NULL) the spool itself, for journals that are of no single one. notify: of inotify, or -1; borrowed. -1 with
 * errno. */
int spool_open(struct spool *s, const char *state_dir, const char *workspace, int notify);
void spool_close(struct spool *s);
/* Brings files up to date, ordered by start. false: the folder cannot be read, or out of memory. */
bool spool_list(struct spool *s);
/* Appends at most max bytes from the file's offset on. *size is the file's size. false with errno. */
bool spool_read(const struct spool *s, const struct spool_file *f, size_t max, struct buf *out, uint64_t *size);
/* True when f is `size` bytes long, nobody holds it open for appending and its writer is gone, has gone on to another file, or has been
 * silent for an hour: then it has been deleted. */
bool spool_delete(const struct spool *s, const struct spool_file *f, uint64_t size);
/* The same question without the deed. */
bool spool_is_finished(const struct spool *s, const struct spool_file *f);
/* Keeps a line that nobody could read, up to 64 MiB in all. */
void spool_reject(const struct spool *s, struct str line);
#endif
