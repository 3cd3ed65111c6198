/* Nodes that the program keeps itself: the settings of a ring tone below ./Vendor/Ring, which a DM server
 * reads, changes and tries out, in one transaction with the nodes that the library stores.
 *
 *   host_tree CARD-PROFILE       (uicc-sim/profiles/host-tree.toml)
 */
#include "simulated_card.h"
#include <stdlib.h>

#define RING "./Vendor/Ring"

/* The program's own data: what counts, and what it was when a transaction began. */
typedef struct settings {
    char tone[32];
    char volume[8];
} settings;

typedef struct ring {
    settings now, before;
    unsigned rung;
} ring;

/* ---- the handler -------------------------------------------------------------------------------- */

/* The text behind a node; NULL if it is none of the leaves. */
static char *leaf(ring *r, const char *uri, size_t *cap)
{
    if (strcmp(uri, RING "/Tone") == 0) {
        *cap = sizeof r->now.tone;
        return r->now.tone;
    }
    if (strcmp(uri, RING "/Volume") == 0) {
        *cap = sizeof r->now.volume;
        return r->now.volume;
    }
    return NULL;
}

static int32_t ring_info(void *user_data, const char *uri, dmsc_host_node *node)
{
    size_t cap;
    const char *text = leaf(user_data, uri, &cap);

    if (strcmp(uri, RING) == 0) {
        node->format = DMSC_FORMAT_NODE;
        node->type = "com.example.ring:1.0";
        return DMSC_OK;
    }
    if (strcmp(uri, RING "/Test") == 0) {
        node->format = DMSC_FORMAT_NULL;
        return DMSC_OK;
    }
    if (text == NULL)
        return DMSC_ERR_NODE_NOT_FOUND;
    node->format = strcmp(uri, RING "/Volume") == 0 ? DMSC_FORMAT_INT : DMSC_FORMAT_CHR;
    node->size = (uint32_t)strlen(text);
    return DMSC_OK;
}

static int32_t ring_get(void *user_data, const char *uri, dmsc_buffer **value)
{
    size_t cap;
    const char *text = leaf(user_data, uri, &cap);

    return text == NULL ? DMSC_OK : dmsc_buffer_new((const uint8_t *)text, strlen(text), value);
}

static int32_t ring_children(void *user_data, const char *uri, dmsc_buffer **names)
{
    static const char list[] = "Test\nTone\nVolume\n";

    (void)user_data;
    if (strcmp(uri, RING) != 0)
        return DMSC_OK;
    return dmsc_buffer_new((const uint8_t *)list, sizeof list - 1, names);
}

static int32_t ring_replace(void *user_data, const char *uri, const dmsc_node_value *value)
{
    size_t cap;
    char *text = leaf(user_data, uri, &cap);

    if (text == NULL)
        return DMSC_ERR_NODE_NOT_ALLOWED;
    if (value->data_len >= cap)
        return DMSC_ERR_TOO_LARGE; /* the server gets 413 */
    if (value->data_len > 0)
        memcpy(text, value->data, value->data_len);
    text[value->data_len] = '\0';
    return DMSC_OK;
}

static int32_t ring_exec(void *user_data, const dmsc_exec_request *request)
{
    ring *r = user_data;

    if (strcmp(request->uri, RING "/Test") != 0)
        return DMSC_ERR_NODE_NOT_ALLOWED;
    r->rung += 1;
    printf("  ring! (%s, volume %s)\n", r->now.tone, r->now.volume);
    return DMSC_OK;
}

static int32_t ring_begin(void *user_data, uint64_t number)
{
    ring *r = user_data;

    (void)number;
    r->before = r->now;
    return DMSC_OK;
}

static int32_t ring_prepare(void *user_data)
{
    const ring *r = user_data;

    /* The last moment to say no, to all of it. */
    return atoi(r->now.volume) > 10 ? DMSC_ERR_NODE_FORMAT : DMSC_OK;
}

static int32_t ring_commit(void *user_data)
{
    const ring *r = user_data;

    printf("  settings now: %s, volume %s\n", r->now.tone, r->now.volume);
    return DMSC_OK;
}

static int32_t ring_rollback(void *user_data)
{
    ring *r = user_data;

    r->now = r->before;
    printf("  settings stay: %s, volume %s\n", r->now.tone, r->now.volume);
    return DMSC_OK;
}

static int bind_ring(dmsc_client *client, ring *r)
{
    dmsc_node_handler handler;
    dmsc_txn *txn = NULL;

    memset(&handler, 0, sizeof handler);
    handler.struct_size = sizeof handler;
    handler.user_data = r;
    handler.info = ring_info;
    handler.get = ring_get;
    handler.children = ring_children;
    handler.replace = ring_replace;
    handler.exec = ring_exec;
    handler.begin = ring_begin;
    handler.prepare = ring_prepare;
    handler.commit = ring_commit;
    handler.rollback = ring_rollback;
    if (failed(dmsc_tree_bind(client, RING, &handler), "bind")
        || failed(dmsc_txn_begin(client, &txn), "transaction"))
        return 0;
    /* What servers may do there is the library's business, and said by the ACL. */
    if (failed(dmsc_txn_set_acl(txn, RING, "Get=*&Replace=*&Exec=*"), "ACL")) {
        dmsc_txn_rollback(txn);
        return 0;
    }
    return !failed(dmsc_txn_commit(txn), "commit");
}

/* ---- what changed ------------------------------------------------------------------------------- */

static void on_changes(void *user_data, const dmsc_change *const *changes, size_t count)
{
    size_t i;

    (void)user_data;
    for (i = 0; i < count; i++)
        if (changes[i]->server_id != NULL)
            printf("  changed by %s: %s\n", changes[i]->server_id, changes[i]->uri);
}

int main(int argc, char **argv)
{
    dmsc_session_request request = { sizeof request, NULL };
    dmsc_session_info info = { sizeof info, 0, 0, 0, DMSC_ERR_STATE, 0 };
    ring r = { { "Classic", "5" }, { "", "" }, 0 };
    dmsc_callbacks callbacks;
    dmsc_config config;
    dmsc_client *client = NULL;
    dmsc_card *card = NULL;
    dmsc_session *session = NULL;
    char error[200] = "";
    uicc_sim *sim = uicc_sim_open(argc > 1 ? argv[1] : NULL, NULL, error, sizeof error);
    int ok;

    if (sim == NULL) {
        fprintf(stderr, "card profile: %s\n", error);
        return 2;
    }
    memset(&callbacks, 0, sizeof callbacks);
    callbacks.struct_size = sizeof callbacks;
    callbacks.on_changes = on_changes;
    dmsc_config_init(&config, sizeof config);
    config.device_id = "IMEI:004999010640000";
    ok = !failed(dmsc_client_new(&config, &callbacks, &client), "client") && bind_ring(client, &r)
         && open_card(client, sim, &card) && !failed(dmsc_card_bootstrap(card, NULL), "bootstrap")
         && !failed(dmsc_card_toolkit_start(card), "toolkit")
         && !failed(dmsc_session_start(client, &request, &session), "session")
         && !failed(dmsc_session_wait(session, 60000, &info), "wait") && info.status == DMSC_OK;
    while (client != NULL && dmsc_client_run_once(client, 0) == DMSC_OK)
        ; /* what is left to be told */
    ok = ok && r.rung == 1 && strcmp(r.now.volume, "7") == 0 && uicc_sim_bad_sessions(sim) == 0;
    printf("host_tree: %s\n", ok ? "OK" : uicc_sim_report(sim));
    dmsc_session_free(session);
    dmsc_card_close(card);
    dmsc_client_free(client);
    uicc_sim_close(sim);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
