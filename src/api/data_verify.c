/*
 * /vedette/dataVerify: whether what lies on the disk is what the data statement says. POST begins, GET says how it stands. For readers of every
 * workspace: it changes nothing and shows no content, but its places are of the whole state folder.
 */
#include "api/answer.h"
#include "api/proof.h"

static void answer(struct api *api, struct api_response *response)
{
  response->type = API_JSON;
  if (api->proof) proof_put_json(api->proof, &response->body);
  else api_error(response, 503, "ServiceUnavailable", "There is nothing here to look with.");
}

void api_data_verify_begin(struct api *api, const struct api_request *r, struct api_response *response)
{
  (void)r;
  response->status = 202;
  if (!api->proof || proof_begin(api->proof, api->stores, api->n_stores)) answer(api, response);
  else api_error(response, 503, "ServiceUnavailable", "There is no thread or no memory to look with; try again.");
}

void api_data_verify_get(struct api *api, const struct api_request *r, struct api_response *response)
{
  (void)r;
  answer(api, response);
}
