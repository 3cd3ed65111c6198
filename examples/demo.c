/* The whole enabler on one simulated card: bootstrap from the card, a session that the card asks for
 * (its timer expires), and a session that a push asks for. Prints the tree before and after, and what the
 * card found out about this phone.
 *
 *   demo [STORE-DIRECTORY [CARD-PROFILE]]
 *
 * With a directory, phone and card keep there what they would keep when switched off.
 */
#include "simulated_card.h"
#include <inttypes.h>
#include <stdlib.h>

/* What the callbacks saw. */
typedef struct seen {
    int card_triggers, push_triggers, questions, commands, sessions_ok, sessions_failed;
} seen;

/* ---- the phone's ears --------------------------------------------------------------------------- */

static int32_t on_trigger(void *user_data, const dmsc_trigger_info *trigger)
{
    seen *s = user_data;
    int local = trigger->source == DMSC_TRIGGER_CARD;

    *(local ? &s->card_triggers : &s->push_triggers) += 1;
    printf("trigger: %s wants session %04" PRIX32 " (%s)\n", trigger->server_id, trigger->dm_session_id,
           local ? "from the card" : "by push");
    return DMSC_TRIGGER_ACCEPT;
}

static void on_alert(void *user_data, dmsc_alert *alert)
{
    seen *s = user_data;
    dmsc_alert_info info;
    dmsc_alert_reply reply;

    memset(&info, 0, sizeof info);
    info.struct_size = sizeof info;
    if (!failed(dmsc_alert_info_get(alert, &info), "alert"))
        printf("  the card asks: \"%s\" - the user says yes\n", info.text);
    s->questions += 1;
    memset(&reply, 0, sizeof reply);
    reply.struct_size = sizeof reply;
    reply.outcome = DMSC_ALERT_ACCEPTED;
    (void)failed(dmsc_alert_answer(alert, &reply), "answer");
}

static void on_event(void *user_data, const dmsc_event *event)
{
    seen *s = user_data;

    switch (event->type) {
    case DMSC_EVENT_COMMAND_DONE:
        s->commands += 1;
        printf("  %.*s %s -> %" PRIu32 "\n", (int)event->data_len, (const char *)event->data,
               event->uri ? event->uri : "", event->phase);
        break;
    case DMSC_EVENT_SESSION_ENDED:
        *(event->status == DMSC_OK ? &s->sessions_ok : &s->sessions_failed) += 1;
        printf("session %" PRIu64 " with %s: %s %.*s\n", event->session_id, event->uri,
               dmsc_status_name(event->status), (int)event->data_len, (const char *)event->data);
        break;
    case DMSC_EVENT_TRIGGER_REFUSED:
        printf("trigger refused: %s (%.*s)\n", dmsc_status_name(event->status), (int)event->data_len,
               (const char *)event->data);
        break;
    default:
        break;
    }
}

/* ---- the tree ----------------------------------------------------------------------------------- */

typedef struct walk {
    dmsc_client *client;
    const char *uri;
    int depth;
} walk;

static bool print_node(void *user_data, const char *name, const dmsc_node_info *info)
{
    const walk *parent = user_data;
    walk self;
    char uri[1100];
    dmsc_buffer *value = NULL;

    if (snprintf(uri, sizeof uri, "%s/%s", parent->uri, name) >= (int)sizeof uri)
        return true;
    self.client = parent->client;
    self.uri = uri;
    self.depth = parent->depth + 1;
    printf("  %*s%s", 2 * parent->depth, "", name);
    if (info->format == DMSC_FORMAT_NODE) {
        printf("/\n");
        return dmsc_tree_children(self.client, uri, print_node, &self) == DMSC_OK;
    }
    if (dmsc_tree_get(self.client, uri, &value) == DMSC_OK)
        printf(" = %.*s\n", (int)dmsc_buffer_len(value), (const char *)dmsc_buffer_data(value));
    else
        printf(" (%" PRIu32 " octets, not shown)\n", info->size);
    dmsc_buffer_free(value);
    return true;
}

static void print_tree(dmsc_client *client, const char *title)
{
    walk root;

    root.client = client;
    root.uri = ".";
    root.depth = 0;
    printf("%s\n", title);
    (void)failed(dmsc_tree_children(client, ".", print_node, &root), "tree");
}

/* ---- the two flows ------------------------------------------------------------------------------ */

/* Drives the client until `sessions` sessions have ended, at most 30 s. */
static int run_until(dmsc_client *client, const seen *s, int sessions)
{
    int rounds;

    for (rounds = 0; rounds < 30000 && s->sessions_ok + s->sessions_failed < sessions;) {
        dmsc_status status = dmsc_client_run_once(client, 1000);
        if (failed(status, "run"))
            return 0;
        rounds += status == DMSC_TIMED_OUT ? 1000 : 1;
    }
    return s->sessions_ok == sessions;
}

static int push_by_sms(dmsc_client *client, uicc_sim *sim)
{
    dmsc_trigger trigger;
    uint8_t pdu[256];
    size_t len = 0;

    if (uicc_sim_notification(sim, pdu, sizeof pdu, &len) != 0)
        return 0;
    memset(&trigger, 0, sizeof trigger);
    trigger.struct_size = sizeof trigger;
    trigger.source = DMSC_TRIGGER_PUSH;
    trigger.data = pdu;
    trigger.data_len = len;
    return !failed(dmsc_client_deliver_trigger(client, &trigger, NULL), "deliver trigger");
}

static int demo(dmsc_client *client, uicc_sim *sim, const seen *s)
{
    dmsc_card *card = NULL;
    dmsc_bootstrap_report report;
    int ok, local, remote, verdict;

    memset(&report, 0, sizeof report);
    report.struct_size = sizeof report;
    ok = open_card(client, sim, &card) && !failed(dmsc_card_bootstrap(card, &report), "bootstrap")
         && !failed(dmsc_card_toolkit_start(card), "toolkit");
    printf("bootstrap: %" PRIu32 " account(s) new, %" PRIu32 " object(s) known\n", report.accounts_added,
           report.objects_unchanged);
    print_tree(client, "tree before:");

    puts("alternate flow: waiting for the card's timer");
    local = ok && run_until(client, s, 1) && s->card_triggers == 1;
    puts("normal flow: a push from the card's management system");
    remote = local && push_by_sms(client, sim) && run_until(client, s, 2) && s->push_triggers == 1;

    print_tree(client, "tree after:");
    printf("the card reports:\n%s", uicc_sim_report(sim));
    verdict = uicc_sim_good_sessions(sim) == 2 && uicc_sim_bad_sessions(sim) == 0;
    dmsc_card_close(card);
    printf("demo: local trigger %s; remote trigger %s; card verdict %s\n", local ? "OK" : "FAILED",
           remote ? "OK" : "FAILED", verdict ? "OK" : "FAILED");
    return local && remote && verdict;
}

int main(int argc, char **argv)
{
    seen s = {0, 0, 0, 0, 0, 0};
    dmsc_callbacks callbacks;
    dmsc_config config;
    dmsc_client *client = NULL;
    char error[200] = "";
    char memory[1024];
    uicc_sim *sim = NULL;
    int ok = 0;

    if (argc > 1)
        (void)snprintf(memory, sizeof memory, "%s/card-memory", argv[1]);
    sim = uicc_sim_open(argc > 2 ? argv[2] : NULL, argc > 1 ? memory : NULL, error, sizeof error);
    if (sim == NULL) {
        fprintf(stderr, "card profile: %s\n", error);
        return 2;
    }
    memset(&callbacks, 0, sizeof callbacks);
    callbacks.struct_size = sizeof callbacks;
    callbacks.user_data = &s;
    callbacks.on_event = on_event;
    callbacks.on_alert = on_alert;
    callbacks.on_trigger = on_trigger;
    dmsc_config_init(&config, sizeof config);
    config.data_dir = argc > 1 ? argv[1] : NULL; /* NULL keeps nothing after the end */
    config.device_id = "IMEI:004999010640000";
    config.manufacturer = "Example";
    config.model = "Phone";
    config.language = "en-US";
    config.software_version = "1.0";
    if (!failed(dmsc_client_new(&config, &callbacks, &client), "client"))
        ok = demo(client, sim, &s);
    dmsc_client_free(client);
    uicc_sim_close(sim);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
