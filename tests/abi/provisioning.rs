//! Bootstraps through the C ABI: what the numbers of the structs mean, and what a C program is asked.

use super::support::abi::*;
use super::support::sim::{Sim, profile};
use dmsc::ffi::*;
use std::ffi::CString;
use std::ptr::{null, null_mut};
use std::sync::Arc;
use std::sync::atomic::Ordering;

const CP: &str = "text/vnd.wap.connectivity-xml";
/// A w7 document in text XML, which a push may carry.
const DOCUMENT: &str = "<wap-provisioningdoc version=\"1.1\"><characteristic type=\"APPLICATION\">\
    <parm name=\"APPID\" value=\"w7\"/><parm name=\"PROVIDER-ID\" value=\"com.example.dm\"/>\
    <parm name=\"ADDR\" value=\"http://dm.example/\"/></characteristic></wap-provisioningdoc>";

/// What a message says besides its octets.
#[derive(Default)]
struct Message {
    content_type: Option<&'static str>,
    sec: u32,
    mac: Option<&'static str>,
    flags: u32,
}

impl Phone {
    fn provision(
        &self,
        message: &Message,
        octets: &[u8],
    ) -> Result<(i32, dmsc_bootstrap_report), Failure> {
        let texts = [message.content_type, message.mac, Some("123456789012345")];
        let texts = texts.map(|text| text.map(|text| CString::new(text).unwrap()));
        let pointer = |at: usize| texts[at].as_ref().map_or(null(), |text| text.as_ptr());
        let c = dmsc_provisioning {
            content_type: pointer(0),
            sec: message.sec,
            flags: message.flags,
            mac: pointer(1),
            imsi: pointer(2),
            data: octets.as_ptr(),
            data_len: octets.len(),
            ..blank()
        };
        let mut report = blank::<dmsc_bootstrap_report>();
        let done =
            unsafe { dmsc_client_apply_provisioning(self.client, &raw const c, &raw mut report) };
        check(done).map(|number| (number, report))
    }
}

fn phone(flags: u32) -> Phone {
    Phone::configured(Keep::Nothing, &Arc::new(Ears::default()), |config| {
        config.bootstrap_flags = flags;
    })
    .unwrap()
}

fn status(done: Result<(i32, dmsc_bootstrap_report), Failure>) -> i32 {
    done.err().unwrap().status
}

#[test]
fn a_document_of_the_factory_is_applied_at_once() {
    let phone = phone(0);
    let factory = Message { flags: 1, ..Message::default() };
    let (number, report) = phone.provision(&factory, DOCUMENT.as_bytes()).unwrap();
    assert_eq!((number, report.accounts_added, report.objects_waiting), (0, 1, 0));
    let (number, report) = phone.provision(&factory, DOCUMENT.as_bytes()).unwrap();
    assert_eq!((number, report.accounts_added, report.objects_unchanged), (0, 0, 1));
    let mut info = blank::<dmsc_node_info>();
    let uri = CString::new("./DMAcc/1").unwrap();
    check(unsafe { dmsc_tree_info_get(phone.client, uri.as_ptr(), &raw mut info) }).unwrap();
    assert_eq!((info.origin, info.origin_slot), (dmsc_origin::DMSC_ORIGIN_FACTORY as u32, 0));
}

#[test]
fn consent_is_an_alert_of_its_own_purpose_and_the_end_is_an_event() {
    let phone = phone(dmsc_bootstrap_flag::DMSC_BOOTSTRAP_UNSIGNED_PUSH as u32);
    phone.ears.keep.store(1, Ordering::SeqCst);
    let message = Message { content_type: Some(CP), ..Message::default() };
    let (number, report) = phone.provision(&message, DOCUMENT.as_bytes()).unwrap();
    assert_eq!((number, report.objects_waiting), (1, 1));
    phone.settle();
    let alert = phone.ears.kept.lock().unwrap().pop().unwrap();
    let mut info = blank::<dmsc_alert_info>();
    check(unsafe { dmsc_alert_info_get(alert.0, &raw mut info) }).unwrap();
    let purpose = dmsc_alert_purpose::DMSC_ALERT_BOOTSTRAP_CONSENT as u32;
    assert_eq!((info.code, info.purpose, info.tries_left, info.session_id), (1101, purpose, 0, 0));
    assert_eq!(info.max_display_s, 300);
    answer(alert.0, 0).unwrap();
    phone.settle();
    let done = phone.ears.of(dmsc_event_type::DMSC_EVENT_BOOTSTRAP_DONE);
    assert_eq!((done.len(), done[0].status), (1, 0));
    assert_eq!(phone.names("./DMAcc"), ["1"]);
}

#[test]
fn a_pin_is_asked_for_with_the_tries_that_are_left() {
    let phone = phone(0);
    phone.ears.keep.store(1, Ordering::SeqCst);
    let mac = Some("0000000000000000000000000000000000000000");
    let message = Message { content_type: Some(CP), sec: 2, mac, ..Message::default() };
    assert_eq!(phone.provision(&message, DOCUMENT.as_bytes()).unwrap().0, 1);
    for tries in [3, 2, 1] {
        phone.settle();
        let alert = phone.ears.kept.lock().unwrap().pop().unwrap();
        let mut info = blank::<dmsc_alert_info>();
        check(unsafe { dmsc_alert_info_get(alert.0, &raw mut info) }).unwrap();
        let purpose = dmsc_alert_purpose::DMSC_ALERT_BOOTSTRAP_PIN as u32;
        assert_eq!((info.code, info.purpose, info.tries_left), (1102, purpose, tries));
        assert_eq!(info.hidden, 1);
        let pin = CString::new("4711").unwrap();
        let reply = dmsc_alert_reply { text: pin.as_ptr(), ..blank() };
        check(unsafe { dmsc_alert_answer(alert.0, &raw const reply) }).unwrap();
    }
    phone.settle();
    let done = phone.ears.of(dmsc_event_type::DMSC_EVENT_BOOTSTRAP_DONE);
    assert_eq!((done.len(), done[0].status), (1, -202));
    assert!(!done[0].data.contains("4711"));
    assert!(phone.names("./DMAcc").is_empty());
}

#[test]
fn messages_that_contradict_themselves_are_refused() {
    let phone = phone(0);
    let push = Message::default();
    let unknown = |message: Message| status(phone.provision(&message, DOCUMENT.as_bytes()));
    assert_eq!(unknown(Message { sec: 9, content_type: Some(CP), ..Message::default() }), -1);
    assert_eq!(unknown(Message { flags: 2, ..Message::default() }), -1);
    assert_eq!(unknown(Message { sec: 2, ..Message::default() }), -1);
    assert_eq!(unknown(Message { content_type: Some("text/plain"), ..Message::default() }), -203);
    assert_eq!(unknown(Message { content_type: Some(CP), ..Message::default() }), -201);
    assert_eq!(status(phone.provision(&push, b"")), -203);
    let mac = Some("1234");
    assert_eq!(
        unknown(Message { content_type: Some(CP), sec: 1, mac, ..Message::default() }),
        -201
    );
    let client = unsafe { dmsc_client_apply_provisioning(phone.client, null(), null_mut()) };
    assert_eq!(check(client).unwrap_err().status, -1);
    let flags = Phone::configured(Keep::Nothing, &Arc::new(Ears::default()), |config| {
        config.bootstrap_flags = 0x8000;
    });
    assert_eq!(flags.err().unwrap().status, -1);
}

#[test]
fn the_policy_for_cards_comes_with_the_configuration() {
    let phone = phone(dmsc_bootstrap_flag::DMSC_BOOTSTRAP_NO_CARD as u32);
    let sim = Sim::new(profile("cp-only"));
    let card = phone.open(&sim, 0).unwrap();
    assert_eq!(card.bootstrap().err().unwrap().status, -204);
    card.close();
}

#[test]
fn access_control_lists_are_read_with_and_without_inheritance() {
    let phone = phone(0);
    let factory = Message { flags: 1, ..Message::default() };
    phone.provision(&factory, DOCUMENT.as_bytes()).unwrap();
    let acl = |uri: &str, effective: u32| {
        let (uri, mut out) = (CString::new(uri).unwrap(), null_mut());
        check(unsafe { dmsc_tree_acl_get(phone.client, uri.as_ptr(), effective, &raw mut out) })
            .map(|_| String::from_utf8(take_buffer(out)).unwrap())
    };
    let owner = "Delete=com.example.dm&Get=com.example.dm&Replace=com.example.dm";
    assert_eq!(acl("./DMAcc/1", 0).unwrap(), owner);
    assert_eq!(acl("./DMAcc/1/ServerID", 0).unwrap(), "");
    assert_eq!(acl("./DMAcc/1/ServerID", 1).unwrap(), owner);
    assert_eq!(acl("./DMAcc/2", 1).unwrap_err().status, -500);
    let inherited = dmsc_export_format::DMSC_EXPORT_INHERITED as u32;
    let plain = String::from_utf8(phone.export("./DMAcc/1/AppAddr", 0).unwrap()).unwrap();
    let whole = String::from_utf8(phone.export("./DMAcc/1/AppAddr", inherited).unwrap()).unwrap();
    assert!(!plain.contains("<ACL>"), "{plain}");
    let owner = owner.replace('&', "&amp;");
    assert_eq!(whole.matches("<ACL>").count(), 1);
    assert!(whole.contains(&format!("<ACL>{owner}</ACL>")), "{whole}");
    assert_ne!(phone.export("./DMAcc/1/AppAddr", inherited + 1).unwrap()[0], b'<');
}

#[test]
fn a_subtree_is_replaced_by_a_document() {
    let phone = phone(0);
    let factory = Message { flags: 1, ..Message::default() };
    phone.provision(&factory, DOCUMENT.as_bytes()).unwrap();
    let export = phone.export("./DMAcc/1/AppAddr", 1).unwrap();
    let (uri, account) = ("./DMAcc/1/AppAddr", CString::new("./DMAcc/1/AppAddr/1/Addr").unwrap());
    let c_uri = CString::new(uri).unwrap();
    let mut txn = null_mut();
    check(unsafe { dmsc_txn_begin(phone.client, &raw mut txn) }).unwrap();
    let value = b"http://elsewhere/";
    let value =
        dmsc_node_value { format: 1, data: value.as_ptr(), data_len: value.len(), ..blank() };
    check(unsafe { dmsc_txn_replace(txn, account.as_ptr(), &raw const value) }).unwrap();
    let import = |txn, document: &[u8]| unsafe {
        check(dmsc_txn_import_replace(txn, c_uri.as_ptr(), document.as_ptr(), document.len()))
    };
    assert_eq!(import(txn, b"<nothing/>").unwrap_err().status, -400);
    import(txn, &export).unwrap();
    check(unsafe { dmsc_txn_commit(txn) }).unwrap();
    assert_eq!(phone.get("./DMAcc/1/AppAddr/1/Addr").unwrap(), "http://dm.example/");
}
