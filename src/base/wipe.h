/*
 * Taking bytes off a disk for good: they are written over with zeros, and the zeros are on the disk before the blocks are given back.
 *
 * That holds for file systems that write in place (ext4, xfs without reflinks) on media that do. What it cannot reach (snapshots, copy-on-write,
 * wear levelling, backups) stands in docs/retention.md.
 */
#ifndef BASE_WIPE_H
#define BASE_WIPE_H
#include <stdbool.h>
#include <sys/types.h>

/* Zeros over bytes from (inclusive) to `to` (exclusive) of a file that is open for writing, on the disk when it returns. The file's size stays as it
 * is where `to` is within it. false with errno; some of it may then be done. */
bool wipe_range(int fd, off_t from, off_t to);
/* Wipes a plain file and takes its name away. A file with more names is left to them. false with errno: it is still there. */
bool wipe_unlink(int dirfd, const char *name);
#endif
