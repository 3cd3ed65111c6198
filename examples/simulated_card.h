/* A simulated card (uicc-sim) as the card of an example: what a modem or a reader is in a phone. */
#ifndef SIMULATED_CARD_H
#define SIMULATED_CARD_H

#include <dmsc.h>
#include <stdio.h>
#include <string.h>
#include <uicc_sim.h>

static int failed(dmsc_status status, const char *what)
{
    if (status < 0)
        printf("%s: %s (%s)\n", what, dmsc_status_name(status), dmsc_last_error_message());
    return status < 0;
}

static int32_t card_transmit(void *sim, const uint8_t *command, size_t command_len, uint8_t *response,
                             size_t response_cap, size_t *response_len)
{
    int32_t done = uicc_sim_transmit(sim, command, command_len, response, response_cap, response_len);
    return done == 0 ? DMSC_OK : DMSC_ERR_CARD_REMOVED;
}

static int32_t card_atr(void *sim, uint8_t *atr, size_t cap, size_t *len)
{
    return uicc_sim_atr(sim, atr, cap, len) == 0 ? DMSC_OK : DMSC_ERR_CARD_ABSENT;
}

static int open_card(dmsc_client *client, uicc_sim *sim, dmsc_card **card)
{
    dmsc_card_transport transport;

    memset(&transport, 0, sizeof transport);
    transport.struct_size = sizeof transport;
    transport.user_data = sim;
    transport.transmit = card_transmit;
    transport.get_atr = card_atr;
    return !failed(dmsc_card_open(client, 0, &transport, card), "open card");
}

#endif
