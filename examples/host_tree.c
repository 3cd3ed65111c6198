/* Nodes that the program keeps itself: the settings of a ring tone below ./Vendor/Ring, which a DM server
 * reads, changes and tries out, in one transaction with the nodes that the library stores. The sound itself is
 * large: it goes into a file and out of it part by part, and is never in memory as a whole.
 *
 *   host_tree CARD-PROFILE DIRECTORY      (uicc-sim/profiles/host-tree.toml)
 */
#include "simulated_card.h"
#include <stdlib.h>

#define RING "./Vendor/Ring"
#define SOUND RING "/Sound"

/* The program's own data: what counts, and what it was when a transaction began. */
typedef struct settings {
    char tone[32];
    char volume[8];
    int new_sound; /* The sound is the file beside, which is not renamed yet. */
} settings;

typedef struct ring {
    settings now, before;
    char sound[512], beside[520]; /* names of files */
    unsigned rung, chunks, parts;
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

/* The file that is the sound; NULL as long as there is none. */
static FILE *sound_file(const ring *r)
{
    return fopen(r->now.new_sound ? r->beside : r->sound, "rb");
}

static long sound_size(const ring *r)
{
    FILE *file = sound_file(r);
    long size = 0;

    if (file != NULL) {
        if (fseek(file, 0, SEEK_END) == 0)
            size = ftell(file);
        fclose(file);
    }
    return size;
}

/* The whole sound: as long as it is short, and for those who want it with all other nodes. */
static int32_t sound_get(const ring *r, dmsc_buffer **value)
{
    size_t size = (size_t)sound_size(r);
    uint8_t *octets = malloc(size + 1);
    FILE *file = sound_file(r);
    int32_t status = DMSC_ERR_STORAGE_IO;

    if (octets != NULL && (file == NULL || fread(octets, 1, size, file) == size))
        status = dmsc_buffer_new(octets, size, value);
    if (file != NULL)
        fclose(file);
    free(octets);
    return status;
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
    if (strcmp(uri, SOUND) == 0) {
        node->format = DMSC_FORMAT_BIN;
        node->type = "audio/x-example";
        node->size = (uint32_t)sound_size(user_data);
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

    if (strcmp(uri, SOUND) == 0)
        return sound_get(user_data, value);
    return text == NULL ? DMSC_OK : dmsc_buffer_new((const uint8_t *)text, strlen(text), value);
}

static int32_t ring_children(void *user_data, const char *uri, dmsc_buffer **names)
{
    static const char list[] = "Sound\nTest\nTone\nVolume\n";

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

/* ---- the sound: from a server chunk by chunk, to a server part by part --------------------------- */

/* Keeps a chunk in the file beside. Nothing is changed by that. */
static int32_t ring_write(void *user_data, const dmsc_value_chunk *chunk)
{
    ring *r = user_data;
    FILE *file;
    size_t written;

    if (strcmp(chunk->uri, SOUND) != 0)
        return DMSC_ERR_NODE_NOT_ALLOWED;
    file = fopen(r->beside, chunk->offset == 0 ? "wb" : "ab");
    if (file == NULL)
        return DMSC_ERR_STORAGE_FULL;
    written = fwrite(chunk->data, 1, chunk->data_len, file);
    r->chunks += 1;
    return fclose(file) == 0 && written == chunk->data_len ? DMSC_OK : DMSC_ERR_STORAGE_FULL;
}

/* All chunks are there: within the transaction, the file beside is the sound. */
static int32_t ring_store(void *user_data, const char *uri, const dmsc_node_value *value)
{
    ring *r = user_data;

    (void)uri;
    (void)value;
    r->now.new_sound = 1;
    return DMSC_OK;
}

/* The value was stored, and renamed by `commit`; or it was not, and is thrown away. */
static void ring_discard(void *user_data, const char *uri)
{
    const ring *r = user_data;

    (void)uri;
    (void)remove(r->beside);
}

/* An open file goes on to be what it was, also when another one gets its name. */
static int32_t ring_open(void *user_data, const char *uri, uint64_t *handle)
{
    FILE *file = strcmp(uri, SOUND) == 0 ? sound_file(user_data) : NULL;

    *handle = (uint64_t)(uintptr_t)file;
    return file != NULL ? DMSC_OK : DMSC_ERR_NODE_NOT_FOUND;
}

static int32_t ring_read(void *user_data, uint64_t handle, uint8_t *data, size_t data_len)
{
    ring *r = user_data;

    r->parts += 1;
    return fread(data, 1, data_len, (FILE *)(uintptr_t)handle) == data_len ? DMSC_OK : DMSC_ERR_STORAGE_IO;
}

static void ring_close(void *user_data, uint64_t handle)
{
    (void)user_data;
    fclose((FILE *)(uintptr_t)handle);
}

/* ---- what has to be true together ---------------------------------------------------------------- */

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
    ring *r = user_data;

    if (r->now.new_sound && rename(r->beside, r->sound) != 0)
        return DMSC_ERR_STORAGE_IO;
    r->now.new_sound = 0;

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
    handler.write = ring_write;
    handler.store = ring_store;
    handler.discard = ring_discard;
    handler.open = ring_open;
    handler.read = ring_read;
    handler.close = ring_close;
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
    ring r;
    dmsc_callbacks callbacks;
    dmsc_config config;
    dmsc_client *client = NULL;
    dmsc_card *card = NULL;
    dmsc_session *session = NULL;
    char error[200] = "";
    uicc_sim *sim;
    int ok;

    if (argc < 3) {
        fprintf(stderr, "usage: host_tree CARD-PROFILE DIRECTORY\n");
        return 2;
    }
    sim = uicc_sim_open(argv[1], NULL, error, sizeof error);
    if (sim == NULL) {
        fprintf(stderr, "card profile: %s\n", error);
        return 2;
    }
    memset(&r, 0, sizeof r);
    strcpy(r.now.tone, "Classic");
    strcpy(r.now.volume, "5");
    (void)snprintf(r.sound, sizeof r.sound, "%s/sound", argv[2]);
    (void)snprintf(r.beside, sizeof r.beside, "%s.new", r.sound);
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
    printf("  the sound came in %u chunks and went in %u parts\n", r.chunks, r.parts);
    ok = ok && r.rung == 1 && strcmp(r.now.volume, "7") == 0 && sound_size(&r) == 40000
         && uicc_sim_bad_sessions(sim) == 0;
    printf("host_tree: %s\n", ok ? "OK" : uicc_sim_report(sim));
    dmsc_session_free(session);
    dmsc_card_close(card);
    dmsc_client_free(client);
    uicc_sim_close(sim);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
