/* The structs of the ABI as a C compiler lays them out on a 64-bit system: sizes and the places of the
 * members behind which a caller's struct may end. Numbers only grow; a new member goes to the end. */
#include <dmsc.h>
#include <dmsc.h>
#include <stddef.h>
#include <stdio.h>

static int wrong = 0;

static void expect(const char *what, size_t found, size_t wanted)
{
    if (found != wanted) {
        printf("%s is %lu instead of %lu\n", what, (unsigned long)found, (unsigned long)wanted);
        wrong = 1;
    }
}

#define SIZE(type, wanted) expect("sizeof(" #type ")", sizeof(type), wanted)
#define PLACE(type, member, wanted) expect(#type "." #member, offsetof(type, member), wanted)

int main(void)
{
    SIZE(dmsc_alert_info, 72);
    PLACE(dmsc_alert_info, session_id, 40);
    PLACE(dmsc_alert_info, default_response, 56);
    PLACE(dmsc_alert_info, tries_left, 68);
    SIZE(dmsc_alert_reply, 32);
    PLACE(dmsc_alert_reply, choices, 24);
    SIZE(dmsc_card_transport, 96);
    PLACE(dmsc_card_transport, transmit, 16);
    PLACE(dmsc_card_transport, destroy, 64);
    PLACE(dmsc_card_transport, cancel, 72);
    PLACE(dmsc_card_transport, timeout_ms, 88);
    SIZE(dmsc_card_info, 72);
    PLACE(dmsc_card_info, iccid, 8);
    PLACE(dmsc_card_info, atr, 32);
    PLACE(dmsc_card_info, has_dm_bootstrap, 68);
    SIZE(dmsc_bootstrap_report, 32);
    PLACE(dmsc_bootstrap_report, objects_failed, 24);
    PLACE(dmsc_bootstrap_report, objects_waiting, 28);
    SIZE(dmsc_provisioning, 72);
    PLACE(dmsc_provisioning, flags, 20);
    PLACE(dmsc_provisioning, data_len, 64);
    SIZE(dmsc_storage, 48);
    PLACE(dmsc_storage, destroy, 40);
    SIZE(dmsc_keys, 48);
    PLACE(dmsc_keys, make, 24);
    PLACE(dmsc_keys, destroy, 40);
    SIZE(dmsc_config, 144);
    PLACE(dmsc_config, device_id, 24);
    PLACE(dmsc_config, max_obj_size, 104);
    PLACE(dmsc_config, bootstrap_flags, 108);
    PLACE(dmsc_config, secret_uri_count, 128);
    PLACE(dmsc_config, network, 136);
    SIZE(dmsc_network_config, 96);
    PLACE(dmsc_network_config, text_xml, 88);
    SIZE(dmsc_stream_transport, 64);
    PLACE(dmsc_stream_transport, destroy, 56);
    SIZE(dmsc_stream_target, 48);
    PLACE(dmsc_stream_target, timeout_ms, 44);
    SIZE(dmsc_event, 64);
    PLACE(dmsc_event, number, 56);
    PLACE(dmsc_event, session_id, 16);
    PLACE(dmsc_event, data_len, 48);
    SIZE(dmsc_trigger_info, 64);
    PLACE(dmsc_trigger_info, vendor_len, 56);
    SIZE(dmsc_callbacks, 64);
    PLACE(dmsc_callbacks, destroy, 40);
    PLACE(dmsc_callbacks, on_changes, 48);
    PLACE(dmsc_callbacks, on_connection, 56);
    SIZE(dmsc_connection_info, 48);
    PLACE(dmsc_connection_info, text, 40);
    SIZE(dmsc_gateway_config, 24);
    PLACE(dmsc_gateway_config, tls_port, 16);
    SIZE(dmsc_change, 48);
    PLACE(dmsc_change, new_size, 44);
    SIZE(dmsc_error_info, 32);
    PLACE(dmsc_error_info, os_error, 24);
    SIZE(dmsc_log_sink, 32);
    PLACE(dmsc_log_sink, log, 16);
    SIZE(dmsc_session_request, 16);
    SIZE(dmsc_session_info, 32);
    PLACE(dmsc_session_info, syncml_status, 28);
    SIZE(dmsc_node_info, 40);
    PLACE(dmsc_node_info, tstamp, 24);
    PLACE(dmsc_node_info, origin_slot, 36);
    SIZE(dmsc_trigger, 40);
    PLACE(dmsc_trigger, data_len, 32);
    SIZE(dmsc_node_value, 40);
    PLACE(dmsc_node_value, data_len, 32);
    SIZE(dmsc_signer, 40);
    PLACE(dmsc_signer, destroy, 32);
    SIZE(dmsc_audit_info, 72);
    PLACE(dmsc_audit_info, head, 40);
    SIZE(dmsc_generic_alert, 72);
    PLACE(dmsc_generic_alert, data_len, 64);
    SIZE(dmsc_host_node, 24);
    PLACE(dmsc_host_node, type, 16);
    SIZE(dmsc_exec_request, 56);
    PLACE(dmsc_exec_request, session_id, 48);
    SIZE(dmsc_value_chunk, 48);
    PLACE(dmsc_value_chunk, data_len, 40);
    SIZE(dmsc_node_handler, 168);
    PLACE(dmsc_node_handler, info, 16);
    PLACE(dmsc_node_handler, destroy, 112);
    PLACE(dmsc_node_handler, discard, 136);
    PLACE(dmsc_node_handler, close, 160);
    SIZE(dmsc_status, 4);
    SIZE(dmsc_event_type, 4);
    if (!wrong)
        puts("layout OK");
    return wrong;
}
