/* One happy path in plain C99: a card in process, its bootstrap, one session by push, one value of the
 * tree, and every handle freed. */
#include <dmsc.h>
#include <dmsc.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uicc_sim.h>

typedef struct counts {
    unsigned events, triggers, questions, destroyed;
    dmsc_status ended;
} counts;

/* Ends the program where `good` is false. */
static void expect(int good, const char *what)
{
    if (!good) {
        printf("FAILED: %s: %s\n", what, dmsc_last_error_message());
        exit(EXIT_FAILURE);
    }
}

static int32_t transmit(void *sim, const uint8_t *command, size_t command_len, uint8_t *response,
                        size_t response_cap, size_t *response_len)
{
    int32_t done = uicc_sim_transmit(sim, command, command_len, response, response_cap, response_len);
    return done == 0 ? DMSC_OK : DMSC_ERR_CARD_REMOVED;
}

static void on_event(void *user_data, const dmsc_event *event)
{
    counts *seen = user_data;
    seen->events += 1;
    if (event->type == DMSC_EVENT_SESSION_ENDED)
        seen->ended = event->status;
}

static void on_alert(void *user_data, dmsc_alert *alert)
{
    counts *seen = user_data;
    dmsc_alert_info info;
    dmsc_alert_reply reply;

    memset(&info, 0, sizeof info);
    info.struct_size = sizeof info;
    expect(dmsc_alert_info_get(alert, &info) == DMSC_OK, "alert info");
    expect(info.code == 1101 && info.item_count == 0, "a confirmation");
    expect(dmsc_alert_item(alert, 0) == NULL, "no option");
    memset(&reply, 0, sizeof reply);
    reply.struct_size = sizeof reply;
    reply.outcome = DMSC_ALERT_ACCEPTED;
    expect(dmsc_alert_answer(alert, &reply) == DMSC_OK, "answer");
    seen->questions += 1;
}

static int32_t on_trigger(void *user_data, const dmsc_trigger_info *trigger)
{
    counts *seen = user_data;
    expect(strcmp(trigger->server_id, "com.example.sc") == 0, "server of the notification");
    seen->triggers += 1;
    return DMSC_TRIGGER_ACCEPT;
}

static void on_destroy(void *user_data)
{
    counts *seen = user_data;
    seen->destroyed += 1;
}

static void push(dmsc_client *client, uicc_sim *sim)
{
    dmsc_trigger trigger;
    uint64_t session = 0;
    uint8_t pdu[256];
    size_t len = 0;

    expect(uicc_sim_notification(sim, pdu, sizeof pdu, &len) == 0, "notification");
    memset(&trigger, 0, sizeof trigger);
    trigger.struct_size = sizeof trigger;
    trigger.source = DMSC_TRIGGER_PUSH;
    trigger.data = pdu;
    trigger.data_len = len;
    expect(dmsc_client_deliver_trigger(client, &trigger, &session) == DMSC_PENDING, "deliver");
    expect(session == 1, "session id");
}

static void look_at_the_tree(dmsc_client *client)
{
    dmsc_buffer *value = NULL;
    dmsc_node_info node;

    expect(dmsc_tree_get(client, "./Operator/Apn", &value) == DMSC_OK, "get");
    expect(dmsc_buffer_len(value) == 18, "length of the value");
    expect(memcmp(dmsc_buffer_data(value), "internet-1.example", 18) == 0, "value");
    dmsc_buffer_free(value);
    memset(&node, 0, sizeof node);
    node.struct_size = sizeof node;
    expect(dmsc_tree_info_get(client, "./Operator", &node) == DMSC_OK, "info");
    expect(node.format == DMSC_FORMAT_NODE && node.tstamp > 0, "interior node");
    value = NULL;
    expect(dmsc_tree_get(client, "./Nothing", &value) == DMSC_ERR_NODE_NOT_FOUND, "no node");
    expect(value == NULL && dmsc_last_error_message()[0] != '\0', "reason");
}

int main(void)
{
    counts seen = {0, 0, 0, 0, DMSC_PENDING};
    dmsc_card_transport transport;
    dmsc_callbacks callbacks;
    dmsc_config config;
    dmsc_bootstrap_report report;
    dmsc_client *client = NULL;
    dmsc_card *card = NULL;
    char error[200] = "";
    uicc_sim *sim = uicc_sim_open(NULL, NULL, error, sizeof error);
    dmsc_status status = DMSC_OK;
    int rounds = 0;

    expect(sim != NULL, error);
    memset(&callbacks, 0, sizeof callbacks);
    callbacks.struct_size = sizeof callbacks;
    callbacks.user_data = &seen;
    callbacks.on_event = on_event;
    callbacks.on_alert = on_alert;
    callbacks.on_trigger = on_trigger;
    callbacks.destroy = on_destroy;
    dmsc_config_init(&config, sizeof config);
    expect(config.struct_size == sizeof config, "config init");
    config.device_id = "IMEI:004999010640000";
    expect(dmsc_client_new(&config, &callbacks, &client) == DMSC_OK, "client");

    memset(&transport, 0, sizeof transport);
    transport.struct_size = sizeof transport;
    transport.user_data = sim;
    transport.transmit = transmit;
    expect(dmsc_card_open(client, 0, &transport, &card) == DMSC_OK, "card");
    memset(&report, 0, sizeof report);
    report.struct_size = sizeof report;
    expect(dmsc_card_bootstrap(card, &report) == DMSC_OK, "bootstrap");
    expect(report.accounts_added == 1 && report.objects_failed == 0, "one account");
    expect(dmsc_card_toolkit_start(card) == DMSC_OK, "toolkit");

    push(client, sim);
    for (rounds = 0; rounds < 10000 && seen.ended == DMSC_PENDING; rounds++) {
        status = dmsc_client_run_once(client, 100);
        expect(status >= 0, "run");
    }
    expect(seen.ended == DMSC_OK, "session");
    expect(seen.triggers == 1 && seen.questions == 1 && seen.events > 10, "callbacks");
    expect(uicc_sim_good_sessions(sim) == 1 && uicc_sim_bad_sessions(sim) == 0, "verdict");
    look_at_the_tree(client);

    dmsc_client_free(client);
    expect(seen.destroyed == 1, "destroy");
    dmsc_card_close(card);
    uicc_sim_close(sim);
    puts("happy OK");
    return EXIT_SUCCESS;
}
