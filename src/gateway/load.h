/*
 * From files to an engine and a configuration: what the gateway, `vedette scan` and `vedette run` have in common.
 */
#ifndef GATEWAY_LOAD_H
#define GATEWAY_LOAD_H
#include "engine/blocklist.h"
#include "engine/config.h"
#include "intel/intel.h"
#include "record/seal_key.h"

/* Where rules are: dir when it is given, else $VEDETTE_RULES, else the installed ones, else those of the source tree this was built
 * from. Never NULL. */
const char *load_rules_dir(const char *dir);

/* The weights of the trained model: file when it is given, else $VEDETTE_MODEL, else the installed ones, else those of the source tree.
 * NULL for "none". */
const char *load_model_file(const char *file);

/* Compiles every *.yaml of the configuration's folder of rules, in the order of their names, then its own rule files, and maps the model
 * beside them (load_model_file). config: NULL for none. ENOTFOUND when there are no rules; ERULE names file and line, or the file of the
 * model. Then looks up what the configuration says about kinds and values (ECONFIG): it is for this engine only.
 * state: the state folder, where what was compiled is kept for the next time (load_kept.h), or NULL for the user's caches. note: why it could not be
 * kept, its text empty where it was; or NULL. */
int load_engine_of(struct config *config, const char *state, struct vdt_engine **out, struct vdt_error *note,
                   struct vdt_error *err);
/* The same without the model, to try rules by themselves: kept among the user's caches, with more files of rules, which are read after those. */
int load_engine_with(struct config *config, const char *const *files, size_t n, struct vdt_engine **out, struct vdt_error *err);

/* What load_engine_of does about labels and policies about data: looks up which label each rule raises, the highest of those that name it, and
 * which rules policies mean. ECONFIG: a kind that the engine does not know. */
int load_data(struct config *config, const struct vdt_engine *engine, struct vdt_error *err);

/* The same rules as they are written, uncompiled, in the arena: for showing them. */
struct rules;
int load_rules(const struct config *config, struct vdt_arena *arena, struct rules *out, struct vdt_error *err);

/* The key of allowed values; zeros when the configuration names no file. */
int load_allowed_key(const struct config *config, unsigned char key[VDT_ALLOW_KEY], struct vdt_error *err);

/* The path of a file that a configuration names; relative ones begin beside the configuration. False when it is too long. */
bool load_resolve(const char *file, const char *beside, char *out, size_t size);

/* Compiles the phrases of all blocklists, in the order of the configuration: items, then lines, list by list. *out is NULL when there are
 * none; it borrows from the configuration. */
int load_blocklists(const struct config *config, struct vdt_blocklist **out, struct vdt_error *err);

/* The built-in list of bad addresses and the configuration's feeds, from their files or as serve kept them. config: NULL for the list alone. Errors name
 * the feed's file and line. The caller drops it. */
int load_intel(const struct config *config, struct vdt_intel **out, struct vdt_error *err);

/* The key that evidence of the workspace is sealed to: of the file that the configuration names, else <state>/keys/NAME.pub. *found false, and no error: there
 * is no such file in the state folder. state: of what the gateway runs with, which need not be the configuration's. */
int load_public_key(const struct config *config, const struct config_workspace *w, const char *state, struct seal_public *out,
                    bool *found, struct vdt_error *err);

/* Reads and checks a configuration file, and the files of its blocklists. */
int load_config(const char *path, struct config **out, struct vdt_error *err);

/* For load_config: reads the files of blocklists into the configuration; beside: its path, where relative ones begin. ECONFIG names file
 * and line. */
int load_phrases(struct config *config, const char *beside, struct vdt_error *err);
#endif
