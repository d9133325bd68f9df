/*
 * intel: known bad addresses and names, as one block of bytes that many processes can map.
 *
 * One section per feed, so that a feed can be replaced while the others stay. In a section, address ranges lie sorted and apart from each other,
 * names as sorted hashes of 64 bits: a million names are 8 MB, and a question costs a few binary searches. Whoever asks gets the
 * name of the feed, not the entry.
 *
 * intel_write makes the block, intel_open checks all of it before it believes any of it. No I/O; files are somebody else's business.
 */
#ifndef INTEL_INTEL_H
#define INTEL_INTEL_H
#include "base/buf.h"
#include "intel/indicator.h"
#include "vedette/vedette.h"

/* What a feed says about what it names; rows of intel/kinds.def. */
enum intel_kind {
#define X(id, name, help) INTEL_##id,
#include "intel/kinds.def"
#undef X
  INTEL_KINDS
};
const char *intel_kind_name(enum intel_kind kind);

enum { INTEL_NAME_MAX = 63, INTEL_SECTIONS_MAX = 65, INTEL_ENTRIES_MAX = 4000000 };

struct intel_range {
  struct address low, high;
};

/* What one feed names, while it is read. */
struct intel_section {
  char name[INTEL_NAME_MAX + 1];
  enum intel_kind kind;
  uint64_t loaded_us; /* when it was read, Unix time */
  struct intel_range *ranges;
  size_t n_ranges, cap_ranges;
  uint64_t *names;
  size_t n_names, cap_names;
};
/* VDT_OK, ENOMEM, or ETOOBIG beyond INTEL_ENTRIES_MAX. */
int intel_add(struct intel_section *s, const struct indicator *i);
/* Sorts, joins, drops what stands twice. To be called before intel_write. */
void intel_settle(struct intel_section *s);
void intel_section_finish(struct intel_section *s);
/* Entries of a section; after intel_settle each counts once. */
size_t intel_entries(const struct intel_section *s);

/* The block; check out->failed. */
void intel_write(const struct intel_section *const *sections, size_t n, struct buf *out);

struct vdt_intel;
/* Takes a block over and checks it: VDT_ESYNTAX when it is not whole. release is called with it when the last user lets go, or when this fails; NULL:
 * nothing is to be done. The block is aligned to 8. */
int intel_open(const void *block, size_t n, void (*release)(const void *block, size_t n), struct vdt_intel **out);
/* Another user; NULL is nobody's. One process, one thread. */
struct vdt_intel *intel_keep(struct vdt_intel *intel);
void intel_drop(struct vdt_intel *intel);
/* The built-in list alone. NULL: out of memory. */
struct vdt_intel *intel_builtin(void);
/* The built-in list as a section, to be finished by the caller. */
int intel_builtin_section(struct intel_section *out, enum intel_kind kind);

struct intel_match {
  const char *feed; /* its name; lives as long as the intel */
  enum intel_kind kind;
};
/* kinds: bits 1 << INTEL_x. NULL intel knows nothing. */
bool intel_has_address(const struct vdt_intel *intel, unsigned kinds, const struct address *a, struct intel_match *out);
/* The host, or a domain above it. In any case. */
bool intel_has_host(const struct vdt_intel *intel, unsigned kinds, struct str host, struct intel_match *out);
/* This very address below the host: path and query as they stand, or the path alone. */
bool intel_has_url(const struct vdt_intel *intel, unsigned kinds, struct str host, struct str rest, struct intel_match *out);

/* Section i, for reports; NULL behind the last. */
struct intel_info {
  const char *name;
  enum intel_kind kind;
  uint64_t loaded_us, ranges, names;
};
bool intel_info(const struct vdt_intel *intel, size_t i, struct intel_info *out);
#endif
