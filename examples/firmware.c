/* A firmware update by a DM server, shaped like the Firmware Update Management Object 1.0: the server sets a
 * package URL and executes Download and Update; the program answers 202, does the work after the session, and
 * reports its end with a generic alert in the next one - also after the restart that an update needs.
 *
 *   firmware STORE-DIRECTORY CARD-PROFILE       (uicc-sim/profiles/firmware.toml)
 */
#include "simulated_card.h"
#include <stdlib.h>

#define ROOT "./FwUpdate"
#define ALERT "Reversed-Domain-Name:org.openmobilealliance.dm.firmwareupdate."

/* Values of State (Firmware Update MO 1.0, 5.1). */
enum { IDLE = 10, DOWNLOADING = 30, READY = 50, UPDATING = 60, UPDATED = 100 };

/* What the program knows. All of it outlives a restart: an operation that is accepted has to be reported. */
typedef struct firmware {
    int state;
    char url[128];
    char correlator[64]; /* of the Exec that is not reported yet */
    char server[64];
    char file[512];
} firmware;

typedef struct program {
    firmware now, before;
    unsigned reported, accepted;
} program;

static int keep(const firmware *fw)
{
    FILE *file = fopen(fw->file, "w");

    if (file == NULL)
        return 0;
    fprintf(file, "%d\n%s\n%s\n%s\n", fw->state, fw->url, fw->correlator, fw->server);
    return fclose(file) == 0;
}

static void line(FILE *file, char *text, int cap)
{
    if (fgets(text, cap, file) == NULL)
        text[0] = '\0';
    text[strcspn(text, "\n")] = '\0';
}

static void recall(firmware *fw)
{
    char state[16];
    FILE *file = fopen(fw->file, "r");

    fw->state = IDLE;
    if (file == NULL)
        return;
    line(file, state, sizeof state);
    line(file, fw->url, sizeof fw->url);
    line(file, fw->correlator, sizeof fw->correlator);
    line(file, fw->server, sizeof fw->server);
    fw->state = atoi(state);
    fclose(file);
}

/* ---- the nodes ---------------------------------------------------------------------------------- */

/* What servers are held to: PkgURL can be read and set, PkgData only set, State only read. */
static const char description[] =
    "<MgmtTree><VerDTD>1.2</VerDTD><Node><NodeName>FwUpdate</NodeName><DFProperties>"
    "<AccessType><Get/></AccessType><DFFormat><node/></DFFormat><Scope><Permanent/></Scope>"
    "<DFType><DDFName>urn:oma:mo:oma-fumo:1.0</DDFName></DFType></DFProperties>"
    "<Node><NodeName>State</NodeName><DFProperties><AccessType><Get/></AccessType>"
    "<DFFormat><int/></DFFormat><Scope><Permanent/></Scope></DFProperties></Node>"
    "<Node><NodeName>Download</NodeName><DFProperties><AccessType><Get/><Exec/></AccessType>"
    "<DFFormat><node/></DFFormat><Scope><Permanent/></Scope></DFProperties>"
    "<Node><NodeName>PkgURL</NodeName><DFProperties><AccessType><Get/><Replace/></AccessType>"
    "<DFFormat><chr/></DFFormat><Scope><Permanent/></Scope></DFProperties></Node></Node>"
    "<Node><NodeName>Update</NodeName><DFProperties><AccessType><Get/><Exec/></AccessType>"
    "<DFFormat><node/></DFFormat><Scope><Permanent/></Scope></DFProperties>"
    "<Node><NodeName>PkgData</NodeName><DFProperties><AccessType><Replace/></AccessType>"
    "<DFFormat><bin/></DFFormat><Scope><Permanent/></Scope></DFProperties></Node></Node>"
    "</Node></MgmtTree>";

static int32_t fw_info(void *user_data, const char *uri, dmsc_host_node *node)
{
    static const char *const interior[] = { ROOT, ROOT "/Download", ROOT "/Update" };
    const program *p = user_data;
    size_t i;

    for (i = 0; i < sizeof interior / sizeof interior[0]; i++)
        if (strcmp(uri, interior[i]) == 0) {
            node->format = DMSC_FORMAT_NODE;
            node->type = i == 0 ? "urn:oma:mo:oma-fumo:1.0" : NULL;
            return DMSC_OK;
        }
    if (strcmp(uri, ROOT "/State") == 0) {
        node->format = DMSC_FORMAT_INT;
        node->size = p->now.state > 99 ? 3 : 2;
    } else if (strcmp(uri, ROOT "/Download/PkgURL") == 0) {
        node->size = (uint32_t)strlen(p->now.url);
    } else if (strcmp(uri, ROOT "/Update/PkgData") == 0) {
        node->format = DMSC_FORMAT_BIN;
        node->type = "application/octet-stream";
    } else {
        return DMSC_ERR_NODE_NOT_FOUND;
    }
    return DMSC_OK;
}

static int32_t fw_get(void *user_data, const char *uri, dmsc_buffer **value)
{
    const program *p = user_data;
    char state[16];
    const char *text = p->now.url;

    if (strcmp(uri, ROOT "/State") == 0) {
        (void)snprintf(state, sizeof state, "%d", p->now.state);
        text = state;
    }
    return dmsc_buffer_new((const uint8_t *)text, strlen(text), value);
}

static int32_t fw_children(void *user_data, const char *uri, dmsc_buffer **names)
{
    const char *list = "PkgURL\n";

    (void)user_data;
    if (strcmp(uri, ROOT) == 0)
        list = "Download\nState\nUpdate\n";
    else if (strcmp(uri, ROOT "/Update") == 0)
        list = "PkgData\n";
    return dmsc_buffer_new((const uint8_t *)list, strlen(list), names);
}

static int32_t fw_replace(void *user_data, const char *uri, const dmsc_node_value *value)
{
    program *p = user_data;

    if (strcmp(uri, ROOT "/Update/PkgData") == 0)
        return DMSC_OK; /* a phone would write it to its update partition */
    if (value->data_len >= sizeof p->now.url)
        return DMSC_ERR_TOO_LARGE;
    if (value->data_len > 0)
        memcpy(p->now.url, value->data, value->data_len);
    p->now.url[value->data_len] = '\0';
    return DMSC_OK;
}

/* Accepts an operation: kept before the server hears of it, reported later. */
static int32_t fw_exec(void *user_data, const dmsc_exec_request *request)
{
    program *p = user_data;
    int download = strcmp(request->uri, ROOT "/Download") == 0;

    if (p->now.state != (download ? IDLE : READY))
        return DMSC_ERR_NODE_NOT_ALLOWED;
    p->now.state = download ? DOWNLOADING : UPDATING;
    (void)snprintf(p->now.correlator, sizeof p->now.correlator, "%s",
                   request->correlator != NULL ? request->correlator : "");
    (void)snprintf(p->now.server, sizeof p->now.server, "%s", request->server_id);
    if (!keep(&p->now))
        return 500;
    p->accepted += 1;
    printf("  %s accepted, correlator %s\n", request->uri, p->now.correlator);
    return 202;
}

static int32_t fw_begin(void *user_data, uint64_t number)
{
    program *p = user_data;

    (void)number;
    p->before = p->now;
    return DMSC_OK;
}

static int32_t fw_prepare(void *user_data)
{
    const program *p = user_data;

    return keep(&p->now) ? DMSC_OK : DMSC_ERR_STORAGE_IO;
}

static int32_t fw_commit(void *user_data)
{
    (void)user_data;
    return DMSC_OK;
}

static int32_t fw_rollback(void *user_data)
{
    program *p = user_data;

    p->now = p->before;
    return keep(&p->now) ? DMSC_OK : DMSC_ERR_STORAGE_IO;
}

static int bind_firmware(dmsc_client *client, program *p)
{
    dmsc_node_handler handler;
    dmsc_txn *txn = NULL;

    memset(&handler, 0, sizeof handler);
    handler.struct_size = sizeof handler;
    handler.user_data = p;
    handler.info = fw_info;
    handler.get = fw_get;
    handler.children = fw_children;
    handler.replace = fw_replace;
    handler.exec = fw_exec;
    handler.begin = fw_begin;
    handler.prepare = fw_prepare;
    handler.commit = fw_commit;
    handler.rollback = fw_rollback;
    if (failed(dmsc_tree_describe(client, ".", (const uint8_t *)description, sizeof description - 1),
               "description")
        || failed(dmsc_tree_bind(client, ROOT, &handler), "bind")
        || failed(dmsc_txn_begin(client, &txn), "transaction"))
        return 0;
    if (failed(dmsc_txn_set_acl(txn, ROOT, "Get=*&Replace=*&Exec=*"), "ACL")) {
        dmsc_txn_rollback(txn);
        return 0;
    }
    return !failed(dmsc_txn_commit(txn), "commit");
}

/* ---- the work behind the answer 202, and its report --------------------------------------------- */

/* Does what was accepted, once, and queues the report. True if there was anything. */
static int work(dmsc_client *client, program *p)
{
    int download = p->now.state == DOWNLOADING;
    dmsc_generic_alert alert;

    if (!download && p->now.state != UPDATING)
        return 0;
    printf("%s %s\n", download ? "downloading" : "installing", p->now.url);
    memset(&alert, 0, sizeof alert);
    alert.struct_size = sizeof alert;
    alert.server_id = p->now.server;
    alert.source_uri = ROOT;
    alert.type = download ? ALERT "download" : ALERT "update";
    alert.correlator = p->now.correlator[0] != '\0' ? p->now.correlator : NULL;
    alert.data = (const uint8_t *)"200"; /* success */
    alert.data_len = 3;
    if (failed(dmsc_client_queue_alert(client, &alert, NULL), "alert"))
        return 0;
    /* The report is in the store now: the operation is not done again. */
    p->now.state = download ? READY : UPDATED;
    p->now.correlator[0] = '\0';
    return keep(&p->now);
}

static void on_event(void *user_data, const dmsc_event *event)
{
    program *p = user_data;

    if (event->type == DMSC_EVENT_ALERT_DONE) {
        p->reported += event->status == DMSC_OK;
        printf("  report %u: %s\n", (unsigned)event->number, dmsc_status_name(event->status));
    }
}

/* Nobody is there to be asked, so the server this device trusts may start updates. */
static const char policy[] =
    "[[rules]]\n"
    "action = \"allow\"\n";

/* The phone is switched on, holds one session, and does what that has ordered. True if all went well. */
static int run(uicc_sim *sim, const char *store, program *p)
{
    dmsc_session_request request = { sizeof request, NULL };
    dmsc_session_info info = { sizeof info, 0, 0, 0, DMSC_ERR_STATE, 0 };
    dmsc_callbacks callbacks;
    dmsc_config config;
    dmsc_client *client = NULL;
    dmsc_card *card = NULL;
    dmsc_session *session = NULL;
    int ok;

    memset(&callbacks, 0, sizeof callbacks);
    callbacks.struct_size = sizeof callbacks;
    callbacks.user_data = p;
    callbacks.on_event = on_event;
    dmsc_config_init(&config, sizeof config);
    config.data_dir = store;
    config.device_id = "IMEI:004999010640000";
    recall(&p->now);
    printf("switched on, state %d\n", p->now.state);
    ok = !failed(dmsc_client_new(&config, &callbacks, &client), "client")
         && !failed(dmsc_client_set_policy(client, policy, sizeof policy - 1), "policy")
         && bind_firmware(client, p)
         && open_card(client, sim, &card) && !failed(dmsc_card_bootstrap(card, NULL), "bootstrap")
         && !failed(dmsc_card_toolkit_start(card), "toolkit");
    if (ok) {
        (void)work(client, p); /* what was accepted before a restart */
        ok = !failed(dmsc_session_start(client, &request, &session), "session")
             && !failed(dmsc_session_wait(session, 60000, &info), "wait") && info.status == DMSC_OK;
        while (dmsc_client_run_once(client, 0) == DMSC_OK)
            ; /* what is left to be told */
        /* A download goes on at once; an update needs the restart. */
        if (p->now.state == DOWNLOADING)
            (void)work(client, p);
    }
    dmsc_session_free(session);
    dmsc_card_close(card);
    dmsc_client_free(client);
    return ok;
}

int main(int argc, char **argv)
{
    program p;
    char error[200] = "";
    uicc_sim *sim;
    int i, ok = 1;

    if (argc < 3) {
        fprintf(stderr, "usage: firmware STORE-DIRECTORY CARD-PROFILE\n");
        return 2;
    }
    sim = uicc_sim_open(argv[2], NULL, error, sizeof error);
    if (sim == NULL) {
        fprintf(stderr, "card profile: %s\n", error);
        return 2;
    }
    memset(&p, 0, sizeof p);
    (void)snprintf(p.now.file, sizeof p.now.file, "%s/firmware", argv[1]);
    for (i = 0; ok && i < 3; i++) {
        uicc_sim_reset(sim);
        ok = run(sim, argv[1], &p);
    }
    ok = ok && p.accepted == 2 && p.reported == 2 && p.now.state == UPDATED
         && uicc_sim_bad_sessions(sim) == 0;
    printf("%s", ok ? "" : uicc_sim_report(sim));
    printf("firmware: %s\n", ok ? "OK" : "FAILED");
    uicc_sim_close(sim);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
