/*
 * The simulated model as an outside shield, so that second opinions can be tried and tested without one. It judges nothing: a text is an
 * attack when it holds "[[judge attack]]", and clean otherwise.
 */
#ifndef SIM_JUDGE_H
#define SIM_JUDGE_H
#include "sim/reply.h"

/* The request is for the model named "judge". */
bool judge_is_asked(const struct script *s);
/* Its verdict on a question in the form of wire/opinion.c; false when the request has no such form. */
bool judge_say(const struct script *s, struct vdt_arena *arena, struct buf *out);
/* Answers text:shieldPrompt. */
void judge_shield(struct str body, struct reply *out);
#endif
