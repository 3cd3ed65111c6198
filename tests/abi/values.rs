//! Numbers and texts that are none.

use super::*;

#[test]
fn numbers_outside_their_enums() {
    let (sim, phone) = (Sim::named("demo"), Phone::new(Keep::Nothing));
    let card = phone.ready(&sim);
    let uri = c("./DevInfo");
    unsafe {
        for number in [0, 5, u32::MAX] {
            let text = format!("card_event {number} is no dmsc_card_event");
            refused(dmsc_card_notify(card.0, number), INVALID_ARG, &text);
        }
        for number in [2, u32::MAX] {
            let mut out = null_mut();
            let text = format!("format {number} is no dmsc_export_format");
            let export = dmsc_tree_export(phone.client, uri.as_ptr(), number, &raw mut out);
            refused(export, INVALID_ARG, &text);
        }
        for source in [1, 3, u32::MAX] {
            let trigger = dmsc_trigger { source, ..blank() };
            let text = format!("source {source}: only PUSH and HOST can be delivered");
            let delivered =
                dmsc_client_deliver_trigger(phone.client, &raw const trigger, null_mut());
            refused(delivered, INVALID_ARG, &text);
        }
        for level in [5, u32::MAX] {
            let text = format!("max_level {level} is no dmsc_log_level");
            refused(dmsc_log_set(null(), level), INVALID_ARG, &text);
        }
        let mut txn = null_mut();
        check(dmsc_txn_begin(phone.client, &raw mut txn)).unwrap();
        for format in [11, u32::MAX] {
            let value = dmsc_node_value { format, ..blank() };
            let text = format!("format {format} is no dmsc_format");
            refused(dmsc_txn_add(txn, uri.as_ptr(), &raw const value), INVALID_ARG, &text);
            refused(dmsc_txn_replace(txn, uri.as_ptr(), &raw const value), INVALID_ARG, &text);
        }
        dmsc_txn_rollback(txn);
        for (name, size) in [("max_msg_size", 511), ("max_msg_size", 1_048_577)] {
            let device = c(DEVICE);
            let config = dmsc_config { max_msg_size: size, ..config(&device) };
            let mut client = null_mut();
            let made = dmsc_client_new(&raw const config, null(), &raw mut client);
            refused(made, INVALID_ARG, &format!("{name} {size} is outside 512 to 1048576"));
        }
    }
}

#[test]
fn an_alert_with_a_wrong_outcome_counts_as_cancelled() {
    for (reply, refusal) in [(5, INVALID_ARG), (u32::MAX, INVALID_ARG)] {
        let (sim, phone) = (Sim::named("demo"), Phone::new(Keep::Nothing));
        phone.ready(&sim);
        phone.ears.keep.store(1, Ordering::SeqCst);
        let session = phone.start_session(None).unwrap();
        phone.settle();
        let alert = phone.ears.kept.lock().unwrap().pop().unwrap();
        let failure = answer(alert.0, reply).unwrap_err();
        assert_eq!(failure.status, refusal);
        assert_eq!(failure.message, format!("outcome {reply} is no dmsc_alert_outcome"));
        let (number, info) = session.wait(10_000).unwrap();
        assert_eq!((number, info.state, info.status), (0, 3, 0));
        session.free();
        let done = phone.ears.of(dmsc_event_type::DMSC_EVENT_COMMAND_DONE);
        let alert = done.iter().find(|event| event.data == "Alert").unwrap();
        assert_eq!(alert.phase, 214);
    }
}

#[test]
fn text_that_is_not_utf8() {
    let (sim, phone) = (Sim::named("demo"), Phone::new(Keep::Nothing));
    phone.ready(&sim);
    let (client, bad) = (phone.client, NOT_UTF8.as_ptr());
    let good = c("./Text");
    unsafe {
        let device = c(DEVICE);
        let base = config(&device);
        type Member = fn(&mut dmsc_config) -> &mut *const c_char;
        let members: [(&str, Member); 10] = [
            ("data_dir", |c| &mut c.data_dir),
            ("device_id", |c| &mut c.device_id),
            ("manufacturer", |c| &mut c.manufacturer),
            ("model", |c| &mut c.model),
            ("language", |c| &mut c.language),
            ("dm_version", |c| &mut c.dm_version),
            ("device_type", |c| &mut c.device_type),
            ("firmware_version", |c| &mut c.firmware_version),
            ("software_version", |c| &mut c.software_version),
            ("hardware_version", |c| &mut c.hardware_version),
        ];
        for (name, member) in members {
            let mut config = base;
            *member(&mut config) = bad;
            let mut out = null_mut();
            refused(
                dmsc_client_new(&raw const config, null(), &raw mut out),
                UTF8,
                &format!("{name}: "),
            );
        }
        let mut buffer = null_mut();
        refused(dmsc_tree_get(client, bad, &raw mut buffer), UTF8, "uri: ");
        refused(dmsc_tree_info_get(client, bad, &mut blank()), UTF8, "uri: ");
        refused(dmsc_tree_export(client, bad, 0, &raw mut buffer), UTF8, "uri: ");
        let request = dmsc_session_request { server_id: bad, ..blank() };
        let mut session = null_mut();
        refused(
            dmsc_session_start(client, &raw const request, &raw mut session),
            UTF8,
            "server_id: ",
        );
        let trigger = dmsc_trigger { content_type: bad, ..blank() };
        let delivered = dmsc_client_deliver_trigger(client, &raw const trigger, null_mut());
        refused(delivered, UTF8, "content_type: ");
        let mut card = null_mut();
        refused(dmsc_card_open_pcsc(client, 9, bad, &raw mut card), UTF8, "reader: ");
        assert!(!dmsc_has_feature(bad));
        let mut txn = null_mut();
        check(dmsc_txn_begin(client, &raw mut txn)).unwrap();
        let value = dmsc_node_value { format: 1, ..blank() };
        refused(dmsc_txn_add(txn, bad, &raw const value), UTF8, "uri: ");
        let value = dmsc_node_value { r#type: bad, ..value };
        refused(dmsc_txn_add(txn, good.as_ptr(), &raw const value), UTF8, "type: ");
        refused(dmsc_txn_replace(txn, bad, &raw const value), UTF8, "uri: ");
        refused(dmsc_txn_delete(txn, bad), UTF8, "uri: ");
        refused(dmsc_txn_set_acl(txn, good.as_ptr(), bad), UTF8, "acl: ");
        refused(dmsc_txn_import(txn, bad, null(), 0), UTF8, "parent_uri: ");
        dmsc_txn_rollback(txn);
    }
}
