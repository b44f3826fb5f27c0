/* A user's whole program in C, built against an installed Pith: consumer MODEL.pith runs it once on zeros. */
#include <pith/pith.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char** argv) {
  pith_model* model = NULL;
  pith_session* session = NULL;
  if (pith_model_open("no/such/model.pith", NULL, &model) != PITH_IO) return 1;
  if (strstr(pith_last_error(), "no/such/model.pith") == NULL) return 2;
  if (argc < 2 || pith_model_open(argv[1], NULL, &model) != PITH_OK) return 3;
  if (pith_session_create(model, NULL, &session) != PITH_OK || pith_session_prepare(session) != PITH_OK)
    return 4;
  memset(pith_session_input(session, 0).data, 0, pith_session_input(session, 0).bytes);
  if (pith_session_run(session) != PITH_OK) return 5;
  printf("pith %s: %zu bytes of output\n", pith_version(), (size_t)pith_session_output(session, 0).bytes);
  pith_session_destroy(session);
  pith_model_destroy(model);
  return 0;
}
