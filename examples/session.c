/* Read the bootstrap from the card in a reader, then run one DM session with its server. */
#include <dmsc.h>
#include <stdio.h>

static int failed(dmsc_status s, const char *what)
{
    if (s < 0)
        fprintf(stderr, "%s: %s (%s)\n", what, dmsc_status_name(s), dmsc_last_error_message());
    return s < 0;
}

int main(int argc, char **argv)
{
    dmsc_bootstrap_report report = { .struct_size = sizeof report };
    dmsc_session_request request = { sizeof request, NULL };
    dmsc_session_info info = { sizeof info, 0, 0, 0, DMSC_ERR_STATE, 0 };
    dmsc_client *client = NULL;
    dmsc_card *card = NULL;
    dmsc_session *session = NULL;
    dmsc_config config;

    dmsc_config_init(&config, sizeof config);
    config.data_dir = "./dmsc-state";
    config.device_id = "IMEI:004999010640000";
    if (!failed(dmsc_client_new(&config, NULL, &client), "client")
        && !failed(dmsc_client_start(client), "start")
        && !failed(dmsc_card_open_pcsc(client, 0, argc > 1 ? argv[1] : NULL, &card), "card")
        && !failed(dmsc_card_bootstrap(card, &report), "bootstrap")
        && !failed(dmsc_card_toolkit_start(card), "toolkit")
        && !failed(dmsc_session_start(client, &request, &session), "session")
        && !failed(dmsc_session_wait(session, 60000, &info), "wait"))
        printf("%u new account(s), session: %s\n", (unsigned)report.accounts_added,
               dmsc_status_name(info.status));
    dmsc_session_free(session); /* NULL is fine, any order is fine */
    dmsc_card_close(card);
    dmsc_client_free(client);
    return info.status == DMSC_OK ? 0 : 1;
}
