/*
 * Our Prompt Shields API: a call is an interaction without an upstream. It is judged by the policy that content_safety names, answered in
 * Content Safety's form, and recorded with metadata only. It blocks nothing and raises no alert: whoever asks decides what follows, and
 * what reaches a model is judged again there.
 */
#ifndef GATEWAY_SHIELD_H
#define GATEWAY_SHIELD_H
#include "gateway/exchange_inside.h"

/* Is this request a call of the API, as far as the configuration wants one? */
bool shield_wants(const struct exchange *x, struct str path);
enum exchange_next shield_head(struct exchange *x, const struct exchange_head *head);
/* text: the body without its coding. */
enum exchange_next shield_body(struct exchange *x, struct vdt_arena *scratch, struct str text);
/* Makes an error of ours the answer, in Content Safety's form; shield_refused notes in the record that nothing was read. */
void shield_refuse(struct exchange *x, enum shield_error e, const char *message);
enum exchange_next shield_refused(struct exchange *x, enum shield_error e, const char *message);
/* text:analyze, as far as it is about blocklists (shield_analyze.c). */
enum exchange_next shield_analyze(struct exchange *x, struct vdt_arena *scratch, struct str text);
/* Takes one call out of this span of ten seconds; false when there is none left. In *seconds how long it lasts still. */
bool shield_take(_Atomic uint64_t *calls, uint64_t now_us, unsigned most, unsigned *seconds);
#endif
