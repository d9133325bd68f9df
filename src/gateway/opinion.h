/*
 * The second opinion: an outside shield is asked about texts of a request of whose score the policy says that we are unsure.
 *
 * One question per interaction, about the unsure texts with the highest scores: a prompt and up to five documents. What leaves is the
 * text of these parts and nothing else: secrets in it are masked as in evidence, and a text that is too long goes in part, around what
 * carried the score. A shield that saw only a part can convict a text, but not acquit it.
 *
 * While it is undecided the findings of the score detectors in unsure texts count for nothing when the request waits (policy blocks) and
 * for what they are when it does not (policy only detects). Afterwards they stand, are withdrawn (action allow, no alert), or get a
 * finding of the shield beside them.
 *
 * No I/O here either: who carries the question there and the answer back says so with the functions of exchange.h.
 */
#ifndef GATEWAY_OPINION_H
#define GATEWAY_OPINION_H
#include "gateway/exchange_inside.h"

/* Takes note of a part whose score is unsure; NULL when it is sure (or memory ran out: *oom). The findings of its detector are to be added
 * to the record next to each other, and are not to count yet. */
struct opinion_case *opinion_consider(struct exchange *x, const struct wire_part *part, const struct vdt_result *r, bool *oom);
/* All parts were read: makes the question. ANSWER when what is not asked about blocks already. The texts are not needed any more. */
enum exchange_next opinion_begin(struct exchange *x);
/* The request is refused for other reasons: nobody is asked, own verdicts stand. */
void opinion_drop(struct exchange *x);
/* The response begins: of texts that are still undecided the own verdict is what annotations say. */
void opinion_annotate(struct exchange *x);
/* The last moment to say what is known in the record. */
void opinion_record(struct exchange *x, struct record *r);
void opinion_finish(struct opinion *o);

/* One of per_minute questions of this minute (since any fixed time), for all who share the cell. false: there is none left. */
bool opinion_budget_take(_Atomic uint64_t *cell, uint64_t minute, unsigned per_minute);
#endif
