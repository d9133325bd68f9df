/*
 * The data-security API of Microsoft Graph, answered by ourselves: an application that does not speak to its model through the gateway asks what may be
 * done with a content before it does it. It is answered here, on the gateway's listener, because here are the engine and its rules, and because a text
 * must not travel on to a process that stores things: what flows to that is a record with metadata and findings, as of any other interaction.
 *
 * A call is an interaction without an upstream. It is judged by the policy that data_security names, with the policies about data that hold for the user
 * and the application on top. No text of it is kept anywhere: prompt evidence is a matter of deployments, and there is none here.
 */
#ifndef GATEWAY_PURVIEW_H
#define GATEWAY_PURVIEW_H
#include "gateway/exchange_inside.h"

/* Is this request a call of the API, as far as the configuration wants one? */
bool purview_wants(const struct exchange *x, struct str path);
enum exchange_next purview_head(struct exchange *x, const struct exchange_head *head);
/* text: the body without its coding. */
enum exchange_next purview_body(struct exchange *x, struct vdt_arena *scratch, struct str text);
/* Makes an error of ours the answer, in Graph's form. */
void purview_refuse(struct exchange *x, enum purview_error e, const char *message);
#endif
