/*
 * uicc_sim.h - a simulated UICC inside the process, for tests of a terminal.
 *
 * Every function may be called from any thread, also with the same handle: a handle locks itself.
 * Only uicc_sim_close() must be the last use of a handle. A NULL handle is an error
 * (UICC_SIM_ERR_ARGUMENT, 0, NULL or nothing, by the type of the function), never a crash.
 *
 * Text is UTF-8 and ends with NUL. Outputs are written only as far as each function says.
 */
#ifndef UICC_SIM_H
#define UICC_SIM_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Success. */
#define UICC_SIM_OK 0
/** A pointer is NULL that must not be. */
#define UICC_SIM_ERR_ARGUMENT (-22)
/** There is no card: it was removed. */
#define UICC_SIM_ERR_NO_CARD (-19)
/** The output does not fit; its length was set to what is needed. */
#define UICC_SIM_ERR_SPACE (-28)
/** The simulator itself failed. Close the handle. */
#define UICC_SIM_ERR_INTERNAL (-5)

/** Room for any response APDU. */
#define UICC_SIM_MAX_RESPONSE 258

/** One card in one reader. */
typedef struct uicc_sim uicc_sim;

/**
 * Makes a card and puts it, powered, into the reader.
 *
 * @param profile      path of a profile file; NULL: the embedded demonstration card
 * @param memory_file  where the card keeps its nonces when it is switched off, as a real card does
 *                     in its EEPROM; made if missing; NULL: nowhere
 * @param error        receives a sentence when NULL is returned (cut to fit); may be NULL
 * @param error_cap    octets at `error`; 0 if NULL
 * @return the handle, to be closed with uicc_sim_close(); NULL when the profile cannot be used
 */
uicc_sim *uicc_sim_open(const char *profile, const char *memory_file, char *error,
                        size_t error_cap);

/**
 * Sends one command APDU (short coding) and takes the response APDU with its status word.
 *
 * The command is carried out even if the response does not fit: give UICC_SIM_MAX_RESPONSE octets.
 *
 * @param cmd, len   the command; `cmd` may be NULL if `len` is 0
 * @param rsp, cap   where the response goes; `rsp` may be NULL if `cap` is 0
 * @param rsp_len    set to the length of the response; to 0 if there is none
 * @return UICC_SIM_OK, UICC_SIM_ERR_ARGUMENT, UICC_SIM_ERR_NO_CARD, UICC_SIM_ERR_SPACE,
 *         UICC_SIM_ERR_INTERNAL
 */
int32_t uicc_sim_transmit(uicc_sim *sim, const uint8_t *cmd, size_t len, uint8_t *rsp, size_t cap,
                          size_t *rsp_len);

/**
 * Takes the answer to reset.
 *
 * @return as uicc_sim_transmit()
 */
int32_t uicc_sim_atr(uicc_sim *sim, uint8_t *atr, size_t cap, size_t *atr_len);

/** Resets the card: logical channels, PIN states and the toolkit's state are gone. */
void uicc_sim_reset(uicc_sim *sim);

/** Pulls the card: uicc_sim_transmit() and uicc_sim_atr() answer UICC_SIM_ERR_NO_CARD. */
void uicc_sim_remove(uicc_sim *sim);

/** Puts the same card back, powered. */
void uicc_sim_insert(uicc_sim *sim);

/**
 * A local event on the card: it asks the terminal for a DM session, through the toolkit, with the
 * next command that ends well. Without TERMINAL PROFILE this is only a finding.
 */
void uicc_sim_trigger(uicc_sim *sim);

/**
 * Takes a WSP push PDU with a notification (package #0), as the remote card management system
 * would send it by SMS.
 *
 * Each call is another notification. If it does not fit, that one is lost: give 512 octets.
 *
 * @return as uicc_sim_transmit()
 */
int32_t uicc_sim_notification(uicc_sim *sim, uint8_t *pdu, size_t cap, size_t *pdu_len);

/** DM sessions that met every expectation of the profile. */
uint32_t uicc_sim_good_sessions(const uicc_sim *sim);

/** DM sessions that did not. */
uint32_t uicc_sim_bad_sessions(const uicc_sim *sim);

/**
 * Everything the card found out about the terminal, one finding to a line ("ok" or "BAD" in
 * front), then the sessions and the verdict ("good", "bad" or "no session").
 *
 * @return text that stays valid until the next call of uicc_sim_report() or uicc_sim_close() with
 *         this handle; NULL for a NULL handle
 */
const char *uicc_sim_report(uicc_sim *sim);

/** Frees the handle; NULL is allowed. */
void uicc_sim_close(uicc_sim *sim);

#ifdef __cplusplus
}
#endif

#endif /* UICC_SIM_H */
