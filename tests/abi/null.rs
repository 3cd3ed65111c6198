//! NULL handles, arguments and outputs.

use super::*;

#[test]
fn null_handles_are_refused_by_name() {
    unsafe {
        let text = c("./DevInfo");
        let (mut buffer, mut txn, mut session, mut card) =
            (null_mut(), null_mut(), null_mut(), null_mut());
        let (transport, trigger, request, value) = (blank(), blank(), blank(), blank());
        let reply = blank();
        let client = null_mut::<dmsc_client>();
        let uri = text.as_ptr();
        let message = blank::<dmsc_provisioning>();
        for number in [
            dmsc_client_run_once(client, 0),
            dmsc_client_start(client),
            dmsc_client_stop(client, 0),
            dmsc_client_rotate_key(client),
            dmsc_client_set_policy(client, null(), 0),
            dmsc_client_set_signer(client, null()),
            dmsc_audit_export(client, &raw mut buffer),
            dmsc_audit_discard(client, 1),
            dmsc_audit_set_limit(client, 1),
            dmsc_audit_info_get(client, &mut blank()),
            dmsc_audit_key(client, null_mut()),
            dmsc_audit_reveal(client, 1, null_mut()),
            dmsc_card_open(client, 0, &raw const transport, &raw mut card),
            dmsc_card_open_pcsc(client, 0, null(), &raw mut card),
            dmsc_session_start(client, &raw const request, &raw mut session),
            dmsc_tree_get(client, uri, &raw mut buffer),
            dmsc_tree_info_get(client, uri, &mut blank()),
            dmsc_tree_children(client, uri, None, null_mut()),
            dmsc_tree_export(client, uri, 0, &raw mut buffer),
            dmsc_tree_acl_get(client, uri, 0, &raw mut buffer),
            dmsc_client_deliver_trigger(client, &raw const trigger, null_mut()),
            dmsc_client_apply_provisioning(client, &raw const message, null_mut()),
            dmsc_txn_begin(client, &raw mut txn),
            dmsc_client_queue_alert(client, &blank(), null_mut()),
            dmsc_tree_bind(client, uri, &blank()),
            dmsc_tree_unbind(client, uri),
            dmsc_tree_describe(client, uri, null(), 0),
        ] {
            assert_eq!(number, INVALID_ARG);
        }
        refused(dmsc_client_run_once(client, 0), INVALID_ARG, "client is NULL");
        let none = null_mut::<dmsc_card>();
        refused(dmsc_card_info_get(none, &mut blank()), INVALID_ARG, "card is NULL");
        refused(dmsc_card_transmit(none, null(), 0, &raw mut buffer), INVALID_ARG, "card is NULL");
        refused(dmsc_card_notify(none, 1), INVALID_ARG, "card is NULL");
        refused(dmsc_card_toolkit_start(none), INVALID_ARG, "card is NULL");
        refused(dmsc_card_bootstrap(none, null_mut()), INVALID_ARG, "card is NULL");
        let none = null_mut::<dmsc_session>();
        refused(dmsc_session_info_get(none, &mut blank()), INVALID_ARG, "session is NULL");
        refused(dmsc_session_wait(none, 0, null_mut()), INVALID_ARG, "session is NULL");
        let none = null_mut::<dmsc_alert>();
        refused(dmsc_alert_info_get(none, &mut blank()), INVALID_ARG, "alert is NULL");
        refused(dmsc_alert_answer(none, &raw const reply), INVALID_ARG, "alert is NULL");
        let none = null_mut::<dmsc_txn>();
        refused(dmsc_txn_add(none, uri, &raw const value), INVALID_ARG, "txn is NULL");
        refused(dmsc_txn_replace(none, uri, &raw const value), INVALID_ARG, "txn is NULL");
        refused(dmsc_txn_delete(none, uri), INVALID_ARG, "txn is NULL");
        refused(dmsc_txn_set_acl(none, uri, uri), INVALID_ARG, "txn is NULL");
        refused(dmsc_txn_import(none, uri, null(), 0), INVALID_ARG, "txn is NULL");
        refused(dmsc_txn_import_replace(none, uri, null(), 0), INVALID_ARG, "txn is NULL");
        refused(dmsc_txn_commit(none), INVALID_ARG, "txn is NULL");
        refused(dmsc_last_error_info(null_mut()), INVALID_ARG, "dmsc_error_info is NULL");
        // Nothing was written.
        assert!(buffer.is_null() && txn.is_null() && session.is_null() && card.is_null());
    }
}

#[test]
fn null_is_allowed_where_the_header_says_so() {
    let _turn = LOG.lock().unwrap();
    unsafe {
        dmsc_buffer_free(null_mut());
        dmsc_card_close(null_mut());
        dmsc_client_free(null_mut());
        dmsc_client_wake(null_mut());
        dmsc_session_cancel(null_mut());
        dmsc_session_free(null_mut());
        dmsc_txn_rollback(null_mut());
        dmsc_config_init(null_mut(), size_of::<dmsc_config>());
        assert!(dmsc_buffer_data(null()).is_null());
        assert_eq!(dmsc_buffer_len(null()), 0);
        assert_eq!(dmsc_client_next_deadline_ms(null()), 0);
        assert_eq!(dmsc_session_id(null()), 0);
        assert!(dmsc_alert_item(null(), 0).is_null());
        assert!(!dmsc_has_feature(null()));
        assert_eq!(check(dmsc_log_set(null(), 0)).unwrap(), 0);
    }
}

#[test]
fn null_arguments_and_outputs() {
    let (sim, phone) = (Sim::named("demo"), Phone::new(Keep::Nothing));
    let card = phone.ready(&sim);
    let (client, text) = (phone.client, c("./DevInfo/DevId"));
    let uri = text.as_ptr();
    unsafe {
        let device = c(DEVICE);
        let good = config(&device);
        let mut out = null_mut();
        refused(dmsc_client_new(null(), null(), &raw mut out), INVALID_ARG, "dmsc_config is NULL");
        refused(dmsc_client_new(&raw const good, null(), null_mut()), INVALID_ARG, "out is NULL");
        let anonymous = dmsc_config { device_id: null(), ..good };
        let refusal = dmsc_client_new(&raw const anonymous, null(), &raw mut out);
        refused(refusal, INVALID_ARG, "device_id is missing");
        assert!(out.is_null());

        let transport = sim.transport();
        let mut other = null_mut();
        refused(
            dmsc_card_open(client, 1, null(), &raw mut other),
            INVALID_ARG,
            "dmsc_card_transport is NULL",
        );
        refused(
            dmsc_card_open(client, 1, &raw const transport, null_mut()),
            INVALID_ARG,
            "out is NULL",
        );
        refused(dmsc_card_open_pcsc(client, 1, null(), null_mut()), INVALID_ARG, "out is NULL");
        refused(dmsc_pcsc_list_readers(null_mut()), INVALID_ARG, "out is NULL");
        refused(dmsc_card_info_get(card.0, null_mut()), INVALID_ARG, "dmsc_card_info is NULL");
        refused(
            dmsc_card_transmit(card.0, uri.cast(), 5, null_mut()),
            INVALID_ARG,
            "response is NULL",
        );
        let mut buffer = null_mut();
        refused(
            dmsc_card_transmit(card.0, null(), 5, &raw mut buffer),
            INVALID_ARG,
            "command is NULL",
        );
        check(dmsc_card_bootstrap(card.0, null_mut())).unwrap();

        refused(
            dmsc_client_queue_alert(client, null(), null_mut()),
            INVALID_ARG,
            "dmsc_generic_alert is NULL",
        );
        let node = c("./Node");
        let (node, handler) = (node.as_ptr(), blank());
        refused(dmsc_tree_bind(client, null(), &raw const handler), INVALID_ARG, "uri is NULL");
        refused(dmsc_tree_bind(client, node, null()), INVALID_ARG, "dmsc_node_handler is NULL");
        refused(dmsc_tree_bind(client, node, &raw const handler), INVALID_ARG, "needs info");
        refused(dmsc_tree_unbind(client, null()), INVALID_ARG, "uri is NULL");
        refused(dmsc_tree_describe(client, null(), null(), 0), INVALID_ARG, "uri is NULL");
        refused(dmsc_tree_describe(client, node, null(), 1), INVALID_ARG, "ddf is NULL");

        refused(dmsc_buffer_new(null(), 1, &raw mut buffer), INVALID_ARG, "data is NULL");
        refused(dmsc_buffer_new(null(), 0, null_mut()), INVALID_ARG, "out is NULL");
        refused(
            dmsc_buffer_new(uri.cast(), usize::MAX, &raw mut buffer),
            INVALID_ARG,
            "data is longer than memory",
        );
        assert!(buffer.is_null());
        check(dmsc_buffer_new(null(), 0, &raw mut buffer)).unwrap();
        assert_eq!((dmsc_buffer_len(buffer), take_buffer(buffer)), (0, Vec::new()));

        let mut buffer = null_mut();
        refused(dmsc_tree_get(client, null(), &raw mut buffer), INVALID_ARG, "uri is NULL");
        refused(dmsc_tree_get(client, uri, null_mut()), INVALID_ARG, "value is NULL");
        refused(dmsc_tree_info_get(client, null(), &mut blank()), INVALID_ARG, "uri is NULL");
        refused(dmsc_tree_info_get(client, uri, null_mut()), INVALID_ARG, "dmsc_node_info is NULL");
        refused(dmsc_tree_children(client, uri, None, null_mut()), INVALID_ARG, "visit is NULL");
        refused(dmsc_tree_export(client, uri, 0, null_mut()), INVALID_ARG, "out is NULL");
        refused(dmsc_tree_export(client, null(), 0, &raw mut buffer), INVALID_ARG, "uri is NULL");
        assert!(buffer.is_null());

        let mut session = null_mut();
        let request = blank();
        refused(
            dmsc_session_start(client, null(), &raw mut session),
            INVALID_ARG,
            "dmsc_session_request is NULL",
        );
        refused(
            dmsc_session_start(client, &raw const request, null_mut()),
            INVALID_ARG,
            "out is NULL",
        );
        let running = phone.start_session(None).unwrap();
        refused(
            dmsc_session_info_get(running.0, null_mut()),
            INVALID_ARG,
            "dmsc_session_info is NULL",
        );
        assert_eq!(status(dmsc_session_wait(running.0, 10_000, null_mut())), 0);
        running.free();

        refused(
            dmsc_client_deliver_trigger(client, null(), null_mut()),
            INVALID_ARG,
            "dmsc_trigger is NULL",
        );
        refused(
            dmsc_client_apply_provisioning(client, null(), null_mut()),
            INVALID_ARG,
            "dmsc_provisioning is NULL",
        );
        refused(dmsc_tree_acl_get(client, uri, 0, null_mut()), INVALID_ARG, "acl is NULL");
        let hollow = dmsc_trigger { data_len: 9, ..blank() };
        refused(
            dmsc_client_deliver_trigger(client, &raw const hollow, null_mut()),
            INVALID_ARG,
            "data is NULL",
        );

        refused(dmsc_txn_begin(client, null_mut()), INVALID_ARG, "out is NULL");
        let mut txn = null_mut();
        check(dmsc_txn_begin(client, &raw mut txn)).unwrap();
        let value = blank();
        refused(dmsc_txn_add(txn, null(), &raw const value), INVALID_ARG, "uri is NULL");
        refused(dmsc_txn_add(txn, uri, null()), INVALID_ARG, "dmsc_node_value is NULL");
        let hollow = dmsc_node_value { format: 1, data_len: 3, ..blank() };
        refused(dmsc_txn_add(txn, uri, &raw const hollow), INVALID_ARG, "data is NULL");
        refused(dmsc_txn_replace(txn, null(), &raw const value), INVALID_ARG, "uri is NULL");
        refused(dmsc_txn_replace(txn, uri, null()), INVALID_ARG, "dmsc_node_value is NULL");
        refused(dmsc_txn_delete(txn, null()), INVALID_ARG, "uri is NULL");
        refused(dmsc_txn_set_acl(txn, uri, null()), INVALID_ARG, "acl is NULL");
        refused(dmsc_txn_set_acl(txn, null(), uri), INVALID_ARG, "uri is NULL");
        refused(dmsc_txn_import(txn, null(), null(), 0), INVALID_ARG, "parent_uri is NULL");
        refused(dmsc_txn_import(txn, uri, null(), 1), INVALID_ARG, "tnds is NULL");
        dmsc_txn_rollback(txn);
    }
}

#[test]
fn structs_without_their_functions_are_refused() {
    let (sim, phone) = (Sim::named("demo"), Phone::new(Keep::Nothing));
    unsafe extern "C" fn open(_: *mut c_void, _: *const u8, _: usize, _: *mut u32) -> i32 {
        0
    }
    unsafe extern "C" fn close(_: *mut c_void, _: u32) -> i32 {
        0
    }
    let whole = sim.transport();
    for bad in [
        dmsc_card_transport { transmit: None, ..whole },
        dmsc_card_transport { open_channel: Some(open), ..whole },
        dmsc_card_transport { close_channel: Some(close), ..whole },
    ] {
        let mut card = null_mut();
        let number = unsafe { dmsc_card_open(phone.client, 0, &raw const bad, &raw mut card) };
        refused(number, INVALID_ARG, "dmsc_card_transport needs transmit, and both of");
        assert!(card.is_null());
    }
    for (bad, text) in [
        (dmsc_card_transport { flags: 4, ..whole }, "dmsc_card_transport.flags 0x4"),
        (dmsc_card_transport { flags: 2, ..whole }, "a card without channel 0 needs open_channel"),
        (dmsc_card_transport { max_le: 257, ..whole }, "dmsc_card_transport.max_le 257"),
    ] {
        let mut card = null_mut();
        let number = unsafe { dmsc_card_open(phone.client, 0, &raw const bad, &raw mut card) };
        refused(number, INVALID_ARG, text);
    }
    let vault = Arc::new(Vault::default());
    let whole = vault.storage();
    let device = c(DEVICE);
    for bad in [
        dmsc_storage { load: None, ..whole },
        dmsc_storage { save: None, ..whole },
        dmsc_storage { remove: None, ..whole },
    ] {
        let config = dmsc_config { storage: &raw const bad, ..config(&device) };
        let mut client = null_mut();
        let number = unsafe { dmsc_client_new(&raw const config, null(), &raw mut client) };
        refused(number, INVALID_ARG, "dmsc_storage needs load, save and remove");
    }
    let keys = blank::<dmsc_keys>();
    let config = dmsc_config { keys: &raw const keys, ..config(&device) };
    let number = unsafe { dmsc_client_new(&raw const config, null(), &mut null_mut()) };
    refused(number, INVALID_ARG, "dmsc_keys needs load and make");
    let sink = blank::<dmsc_log_sink>();
    refused(unsafe { dmsc_log_set(&raw const sink, 1) }, INVALID_ARG, "dmsc_log_sink.log is NULL");
    assert_eq!((sim.destroyed(), vault.destroyed.load(Ordering::SeqCst)), (0, 0));
}
