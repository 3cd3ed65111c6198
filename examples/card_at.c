/* Read the bootstrap from the card in a modem, through the modem's AT commands:
 *     card_at /dev/ttyUSB2 [store directory]
 */
#define _POSIX_C_SOURCE 200809L

#include <dmsc.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <termios.h>
#include <unistd.h>

static int failed(dmsc_status s, const char *what)
{
    if (s < 0)
        fprintf(stderr, "%s: %s (%s)\n", what, dmsc_status_name(s), dmsc_last_error_message());
    return s < 0;
}

static int32_t port_read(void *user_data, uint8_t *buffer, size_t cap, uint32_t timeout_ms, size_t *len)
{
    struct pollfd wait = { *(int *)user_data, POLLIN, 0 };
    ssize_t n;

    *len = 0;
    if (poll(&wait, 1, (int)timeout_ms) <= 0)
        return DMSC_OK; /* nothing came */
    n = read(wait.fd, buffer, cap);
    if (n > 0)
        *len = (size_t)n;
    return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)) ? DMSC_OK : DMSC_ERR_CARD_ABSENT;
}

static int32_t port_write(void *user_data, const uint8_t *data, size_t len)
{
    int fd = *(int *)user_data;

    while (len > 0) {
        ssize_t n = write(fd, data, len);
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return DMSC_ERR_CARD_ABSENT;
        if (n > 0) {
            data += n;
            len -= (size_t)n;
        }
    }
    return DMSC_OK;
}

static int open_modem(const char *device)
{
    struct termios raw;
    int fd = open(device, O_RDWR | O_NOCTTY);

    if (fd >= 0 && tcgetattr(fd, &raw) == 0) {
        raw.c_iflag = 0;
        raw.c_oflag = 0;
        raw.c_lflag = 0;
        raw.c_cflag = CS8 | CREAD | CLOCAL;
        cfsetispeed(&raw, B115200);
        cfsetospeed(&raw, B115200);
        tcsetattr(fd, TCSAFLUSH, &raw);
        return fd;
    }
    perror(device);
    if (fd >= 0)
        close(fd);
    return -1;
}

int main(int argc, char **argv)
{
    dmsc_bootstrap_report report = { sizeof report, 0, 0, 0, 0, 0 };
    dmsc_card_info info = { sizeof info, { 0 }, { 0 }, 0, 0, 0, 0 };
    int modem = argc > 1 ? open_modem(argv[1]) : -1;
    dmsc_at_port port = { sizeof port, &modem, port_read, port_write, NULL, 0, 0 };
    dmsc_client *client = NULL;
    dmsc_card *card = NULL;
    dmsc_config config;
    int ok;

    if (modem < 0) {
        fprintf(stderr, "usage: card_at DEVICE [STORE]\n");
        return 2;
    }
    dmsc_config_init(&config, sizeof config);
    config.data_dir = argc > 2 ? argv[2] : "./dmsc-state";
    config.device_id = "IMEI:004999010640000";
    ok = !failed(dmsc_client_new(&config, NULL, &client), "client")
        && !failed(dmsc_card_open_at(client, 0, &port, &card), "card")
        && !failed(dmsc_card_info_get(card, &info), "info")
        && !failed(dmsc_card_bootstrap(card, &report), "bootstrap");
    if (ok)
        printf("%s, %u new account(s), %u unchanged\n", info.is_uicc ? "UICC" : "SIM",
               (unsigned)report.accounts_added, (unsigned)report.objects_unchanged);
    dmsc_card_close(card);
    dmsc_client_free(client);
    close(modem);
    return ok ? 0 : 1;
}
