/* The program's own sockets for the library's TCP connections: here plain ones, with a word about each.
 * A handset would bind them to the network named in con_ref, or lead them through a proxy. The library
 * does HTTP and TLS over them. usage: streams STORE [SERVER_ID] */
#define _POSIX_C_SOURCE 200809L
#include <dmsc.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* "tcp://host:port", "tcp://[address]:port" */
static int split(const char *uri, char *host, size_t room, const char **port)
{
    const char *from = strstr(uri, "://"), *colon = strrchr(uri, ':');
    size_t len;
    if (!from || !colon || colon < from + 3)
        return 0;
    from += 3;
    len = (size_t)(colon - from);
    if (len > 1 && *from == '[') {
        from++;
        len -= 2;
    }
    if (len >= room)
        return 0;
    memcpy(host, from, len);
    host[len] = '\0';
    *port = colon + 1;
    return 1;
}

static int32_t on_connect(void *user_data, const dmsc_stream_target *target, void **stream)
{
    struct addrinfo hints, *found = NULL, *at;
    const char *port;
    char host[256];
    int *held, fd = -1;
    (void)user_data;
    printf("connecting to %s over %s\n", target->uri, target->con_ref ? target->con_ref : "any network");
    memset(&hints, 0, sizeof hints);
    hints.ai_socktype = SOCK_STREAM;
    if (!split(target->uri, host, sizeof host, &port) || getaddrinfo(host, port, &hints, &found) != 0)
        return DMSC_ERR_CONNECT;
    for (at = found; at && fd < 0; at = at->ai_next) {
        fd = socket(at->ai_family, at->ai_socktype, at->ai_protocol);
        if (fd >= 0 && connect(fd, at->ai_addr, at->ai_addrlen) != 0) {
            close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(found);
    if (fd < 0)
        return errno == ENETUNREACH ? DMSC_ERR_NO_NETWORK : DMSC_ERR_CONNECT;
    held = malloc(sizeof *held);
    if (!held || fcntl(fd, F_SETFL, O_NONBLOCK) != 0) {
        free(held);
        close(fd);
        return DMSC_ERR_NO_MEMORY;
    }
    *held = fd;
    *stream = held;
    return DMSC_OK;
}

static int32_t moved(ssize_t octets, size_t *out)
{
    if (octets < 0)
        return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? DMSC_TIMED_OUT : DMSC_ERR_IO;
    *out = (size_t)octets;
    return DMSC_OK;
}

static int32_t on_read(void *user_data, void *stream, uint8_t *buffer, size_t capacity, size_t *len)
{
    (void)user_data;
    return moved(recv(*(int *)stream, buffer, capacity, 0), len);
}

static int32_t on_write(void *user_data, void *stream, const uint8_t *data, size_t len, size_t *written)
{
    (void)user_data;
    return moved(send(*(int *)stream, data, len, MSG_NOSIGNAL), written);
}

static void on_close(void *user_data, void *stream)
{
    (void)user_data;
    close(*(int *)stream);
    free(stream);
}

static int failed(dmsc_status s, const char *what)
{
    if (s < 0)
        fprintf(stderr, "%s: %s (%s)\n", what, dmsc_status_name(s), dmsc_last_error_message());
    return s < 0;
}

int main(int argc, char **argv)
{
    dmsc_session_info info = { sizeof info, 0, 0, 0, DMSC_ERR_STATE, 0 };
    dmsc_session_request request = { sizeof request, NULL };
    dmsc_stream_transport streams;
    dmsc_network_config network;
    dmsc_config config;
    dmsc_client *client = NULL;
    dmsc_session *session = NULL;

    memset(&streams, 0, sizeof streams);
    streams.struct_size = sizeof streams;
    streams.connect = on_connect;
    streams.read = on_read;
    streams.write = on_write;
    streams.close = on_close;
    memset(&network, 0, sizeof network);
    network.struct_size = sizeof network;
    network.retries = 3;
    dmsc_config_init(&config, sizeof config);
    config.data_dir = argc > 1 ? argv[1] : "./dmsc-state";
    config.device_id = "IMEI:004999010640000";
    config.network = &network;
    request.server_id = argc > 2 ? argv[2] : NULL;
    if (!failed(dmsc_client_new(&config, NULL, &client), "client")
        && !failed(dmsc_client_set_stream_transport(client, "tcp", &streams), "streams")
        && !failed(dmsc_session_start(client, &request, &session), "session")
        && !failed(dmsc_session_wait(session, 600000, &info), "wait"))
        printf("session: %s\n", dmsc_status_name(info.status));
    dmsc_session_free(session);
    dmsc_client_free(client);
    return info.status == DMSC_OK ? 0 : 1;
}
