/* What the renderers share. Only for data/. */
#ifndef DATA_WORDS_H
#define DATA_WORDS_H
#include "data/data.h"

/* Seconds; 0: the class has no such setting, or the workspace is of no configuration. */
uint64_t data_retention_s(enum data_retention r, const struct data_workspace *w);
/* w NULL: of any workspace. */
bool data_may_read(const struct data_class *c, const struct data_reader *r, const struct data_workspace *w);
/* The least role, "none" when the API does not give it out. */
/* Operators may read it by break-glass. config: NULL where it is not known. */
bool data_has_glass(const struct data_class *c, const struct config *config);
const char *data_role_of(const struct data_class *c);
bool data_concerns(const struct data_class *c, const struct data_deployment *d);
const char *data_scope_word(enum data_scope scope);
/* "off", "segments", "full", with what a plan has switched. */
const char *data_evidence_word(const struct data_deployment *d);
/* Where the key is that opens the evidence of a workspace; never the key, nor the command that gets it. */
const char *data_key_word(const struct data_statement *s, const struct data_workspace *w);
/* Something of the class lies in the folder of each workspace. */
bool data_in_workspace(const struct data_class *c);
/* The next file of the class, in a workspace or (NULL) outside of them, from row *at of places.def on; empty behind the last. */
struct str data_place_path(const struct data_statement *s, const struct data_workspace *w, const struct data_class *c, size_t *at,
                           struct buf *scratch);
const struct store_table *data_table_of(const struct data_workspace *w, const char *name, size_t n);
/* "2026-11-26T07:30:00Z" */
void data_put_when(struct buf *b, uint64_t us);
#endif
