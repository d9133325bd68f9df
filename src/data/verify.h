/* The proof of the statement: what is there and is not in it. Each fault is named with its place, and nothing of what is stored is shown. */
#ifndef DATA_VERIFY_H
#define DATA_VERIFY_H
#include "data/data.h"

enum data_fault {
#define X(id, name, text, todo) DATA_##id,
#include "data/faults.def"
#undef X
  DATA_FAULTS
};
const char *data_fault_name(enum data_fault fault);
const char *data_fault_text(enum data_fault fault);
/* What somebody is to do about it. */
const char *data_fault_todo(enum data_fault fault);

struct data_check {
  uint64_t
      since_us; /* what the configuration says holds since then: destinations and texts from before are not held against it */
  /* Called for each fault. place: a path, a table, a line of a file; detail: "" or a few words. Both may have bytes that others wrote. */
  void (*found)(void *ctx, enum data_fault fault, struct str place, struct str detail);
  void *ctx;
  uint64_t files, tables, records, lines; /* so many were looked at */
  uint64_t faults;
  /* NULL, or asked now and then: true, and what is left is not looked at. */
  bool (*stop)(void *ctx, const struct data_check *so_far);
  bool stopped;
};

/* Since when the configuration in the state folder runs, Unix time in microseconds; 0: there is none. */
uint64_t data_running_since(const char *state_dir);
/* OK also when there are faults. EIO, ENOMEM: it could not be looked at as a whole. */
int data_verify(const struct data_statement *s, struct data_check *check, struct vdt_error *err);

/* ---- parts, each of a file of its own ---------------------------------------------------------------------------- */

void verify_found(struct data_check *check, enum data_fault fault, struct str place, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* Asks stop(); once it has said so it stays so. */
bool verify_stopped(struct data_check *check);
int verify_files(const struct data_statement *s, struct data_check *check, struct vdt_error *err);
int verify_stores(const struct data_statement *s, struct data_check *check, struct vdt_error *err);
int verify_lines(const struct data_statement *s, struct data_check *check, struct vdt_error *err);
/* Text of prompts or answers is in it, open or sealed. */
bool verify_has_text(const struct record *r);
/* The deployment of that name, or NULL. */
const struct data_deployment *verify_deployment(const struct data_statement *s, struct str name);
#endif
