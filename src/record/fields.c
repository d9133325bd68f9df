#include "record/fields.h"

static const char *const outcome_names[] = {
#define X(name, text) text,
#include "record/outcomes.def"
#undef X
};
static const char *const verdict_names[] = {
#define X(name, text) text,
#include "record/verdicts.def"
#undef X
};
static const char *const opinion_names[] = {
#define X(name, text) text,
#include "record/opinions.def"
#undef X
};
static const char *const decision_names[] = {"keep", "allow", "detect", "block"};
static const char *const auth_names[] = {"key", "token"};
static const char *const inspected_names[] = {"full", "partial", "none"};
static const char *const direction_names[] = {"request", "response"};
static const char *const role_names[] = {"system", "prompt", "document", "response"};
static const char *const severity_names[] = {"Informational", "Low", "Medium", "High"};
static const char *const action_names[] = {"allow", "detect", "redact", "cut", "block"};
static const char *const evidence_lost_names[] = {"no-key", "failed"};
static const char *const source_names[] = {"vedette", "upstream", "shield"};

#define WORDS(what) static const struct words words_##what = {what##_names, sizeof what##_names / sizeof *what##_names}
WORDS(outcome);
WORDS(verdict);
WORDS(auth);
WORDS(inspected);
WORDS(direction);
WORDS(role);
WORDS(severity);
WORDS(action);
WORDS(source);
WORDS(evidence_lost);
WORDS(opinion);
WORDS(decision);
static const struct words words_none = {NULL, 0};

static const struct field record_rows[] = {
#define RECORD_FIELD(member, name, kind, words, required) {name, kind, offsetof(struct record, member), &words_##words, required},
#include "record/fields.def"
#undef RECORD_FIELD
};
static const struct field side_rows[] = {
#define SIDE_FIELD(member, name, kind, words, required)                                                                          \
  {name, kind, offsetof(struct record_side, member), &words_##words, required},
#include "record/fields.def"
#undef SIDE_FIELD
};
static const struct field finding_rows[] = {
#define FINDING_FIELD(member, name, kind, words, required)                                                                       \
  {name, kind, offsetof(struct record_finding, member), &words_##words, required},
#include "record/fields.def"
#undef FINDING_FIELD
};

static const struct field opinion_rows[] = {
#define OPINION_FIELD(member, name, kind, words, required)                                                                       \
  {name, kind, offsetof(struct record_opinion, member), &words_##words, required},
#include "record/fields.def"
#undef OPINION_FIELD
};
static const struct field pseudonym_rows[] = {
#define PSEUDONYM_FIELD(member, name, kind, words, required)                                                                     \
  {name, kind, offsetof(struct record_pseudonym, member), &words_##words, required},
#include "record/fields.def"
#undef PSEUDONYM_FIELD
};
static const struct field egress_rows[] = {
#define EGRESS_FIELD(member, name, kind, words, required)                                                                        \
  {name, kind, offsetof(struct record_egress, member), &words_##words, required},
#include "record/fields.def"
#undef EGRESS_FIELD
};

const struct fields record_fields = {record_rows, sizeof record_rows / sizeof *record_rows};
const struct fields side_fields = {side_rows, sizeof side_rows / sizeof *side_rows};
const struct fields finding_fields = {finding_rows, sizeof finding_rows / sizeof *finding_rows};
const struct fields opinion_fields = {opinion_rows, sizeof opinion_rows / sizeof *opinion_rows};
const struct fields pseudonym_fields = {pseudonym_rows, sizeof pseudonym_rows / sizeof *pseudonym_rows};
const struct fields egress_fields = {egress_rows, sizeof egress_rows / sizeof *egress_rows};

const char *record_opinion_name(enum record_opinion_outcome outcome)
{
  return (unsigned)outcome < words_opinion.n ? opinion_names[outcome] : "";
}

const char *record_outcome_name(enum record_outcome outcome)
{
  return (unsigned)outcome < words_outcome.n ? outcome_names[outcome] : "";
}

const char *record_verdict_name(enum record_verdict verdict)
{
  return (unsigned)verdict < words_verdict.n ? verdict_names[verdict] : "";
}
