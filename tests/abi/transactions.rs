//! Transactions of the host and reading the tree.

use super::*;

#[test]
fn a_transaction_is_all_or_nothing() {
    let phone = Phone::new(Keep::Nothing);
    let (a, b) = (c("./Host/A"), c("./Host/B"));
    let leaf = |text: &'static str| dmsc_node_value {
        format: 1,
        data: text.as_ptr(),
        data_len: text.len(),
        ..blank()
    };
    let begin = || {
        let mut txn = null_mut();
        check(unsafe { dmsc_txn_begin(phone.client, &raw mut txn) }).unwrap();
        txn
    };
    let before = phone.tree(".");
    unsafe {
        let txn = begin();
        let one = leaf("1");
        check(dmsc_txn_add(txn, a.as_ptr(), &raw const one)).unwrap();
        refused(dmsc_txn_add(txn, a.as_ptr(), &raw const one), -501, "");
        refused(dmsc_txn_replace(txn, b.as_ptr(), &raw const one), -500, "");
        refused(dmsc_txn_delete(txn, b.as_ptr()), -500, "");
        let mut other = null_mut();
        refused(
            dmsc_txn_begin(phone.client, &raw mut other),
            -7,
            "another write transaction is open",
        );
        assert!(other.is_null());
        assert_eq!(phone.tree("."), before);
        dmsc_txn_rollback(txn);
        assert_eq!(phone.tree("."), before);

        let txn = begin();
        check(dmsc_txn_add(txn, a.as_ptr(), &raw const one)).unwrap();
        let two = leaf("2");
        check(dmsc_txn_replace(txn, a.as_ptr(), &raw const two)).unwrap();
        check(dmsc_txn_add(txn, b.as_ptr(), &raw const one)).unwrap();
        refused(dmsc_txn_set_acl(txn, a.as_ptr(), c("Nonsense").as_ptr()), INVALID_ARG, "");
        check(dmsc_txn_set_acl(txn, a.as_ptr(), c("Get=*").as_ptr())).unwrap();
        check(dmsc_txn_commit(txn)).unwrap();
        assert_eq!(phone.get("./Host/A").unwrap(), "2");
        assert_eq!(phone.get("./Host/A?prop=ACL").unwrap(), "Get=*");
        // A document with a mistake at its end leaves nothing of its beginning.
        let export = phone.export("./Host", 1).unwrap();
        let txn = begin();
        let (root, host) = (c("."), c("./Host"));
        refused(dmsc_txn_import(txn, root.as_ptr(), export.as_ptr(), export.len()), -501, "");
        refused(dmsc_txn_import(txn, root.as_ptr(), export.as_ptr(), export.len() / 2), -400, "");
        check(dmsc_txn_delete(txn, host.as_ptr())).unwrap();
        check(dmsc_txn_import(txn, root.as_ptr(), export.as_ptr(), export.len())).unwrap();
        check(dmsc_txn_commit(txn)).unwrap();
        assert_eq!(phone.get("./Host/A").unwrap(), "2");
    }
}

#[test]
fn no_session_goes_on_while_a_transaction_is_open() {
    let (sim, phone) = (Sim::named("demo"), Phone::new(Keep::Nothing));
    phone.ready(&sim);
    let mut txn = null_mut();
    check(unsafe { dmsc_txn_begin(phone.client, &raw mut txn) }).unwrap();
    let session = phone.start_session(None).unwrap();
    phone.settle();
    assert_eq!(session.info().unwrap().state, 0);
    check(unsafe { dmsc_txn_commit(txn) }).unwrap();
    phone.settle();
    assert_eq!(session.info().unwrap().status, 0);
    session.free();
    assert_eq!(sim.card().good_sessions(), 1);
}

#[test]
fn children_end_when_the_visitor_says_so_and_a_leaf_has_none() {
    let phone = Phone::new(Keep::Nothing);
    unsafe extern "C" fn first(
        count: *mut c_void,
        name: *const c_char,
        info: *const dmsc_node_info,
    ) -> bool {
        unsafe {
            *count.cast::<u32>() += 1;
            assert_eq!((CStr::from_ptr(name), (*info).format), (c"DevId", 1));
        }
        false
    }
    let (uri, mut count) = (c("./DevInfo"), 0_u32);
    let number = unsafe {
        let count = (&raw mut count).cast::<c_void>();
        dmsc_tree_children(phone.client, uri.as_ptr(), Some(first), count)
    };
    assert_eq!((status(number), count), (0, 1));
    assert_eq!(phone.children("./DevInfo/DevId").unwrap_err().status, -503);
    assert_eq!(phone.children("./None").unwrap_err().status, -500);
    assert_eq!(phone.get("./DevInfo").unwrap_err().status, -503);
    assert_eq!(phone.get("DevInfo//").unwrap_err().status, -505);
}
