//! The journal and the policy through the C ABI.

use super::support::abi::Phone;
use super::*;
use dmsc::audit::{Ed25519, PublicKey, Signer};
use dmsc::secret::Secret;

fn bytes<const N: usize>(
    call: impl FnOnce(*mut u8) -> i32,
) -> Result<[u8; N], support::abi::Failure> {
    let mut octets = [0; N];
    check(call(octets.as_mut_ptr()))?;
    Ok(octets)
}

fn export(phone: &Phone) -> Vec<u8> {
    let mut buffer = null_mut();
    check(unsafe { dmsc_audit_export(phone.client, &raw mut buffer) }).unwrap();
    take_buffer(buffer)
}

fn info(phone: &Phone) -> dmsc_audit_info {
    let mut info = blank::<dmsc_audit_info>();
    check(unsafe { dmsc_audit_info_get(phone.client, &raw mut info) }).unwrap();
    info
}

type Key = [u8; DMSC_AUDIT_KEY_SIZE];

/// Status, last record and first broken record.
fn verify(export: &[u8], keys: &[u8], head: Option<&[u8; 32]>) -> (i32, u64, u64) {
    let (mut verdict, mut broken) = (blank::<dmsc_audit_info>(), 0);
    let head = head.map_or(null(), |head| head.as_ptr());
    let (data, count) = (export.as_ptr(), keys.len() / DMSC_AUDIT_KEY_SIZE);
    let status = unsafe {
        let keys = keys.as_ptr();
        dmsc_audit_verify(data, export.len(), keys, count, head, &raw mut verdict, &raw mut broken)
    };
    (status, verdict.last, broken)
}

#[test]
fn an_export_verifies_without_a_client() {
    let (sim, phone) = (Sim::named("demo"), Phone::new(Keep::Nothing));
    phone.ready(&sim);
    phone.deliver(&sim.push()).unwrap();
    phone.settle();
    let export = export(&phone);
    let key: Key = bytes(|key| unsafe { dmsc_audit_key(phone.client, key) }).unwrap();
    let stands = info(&phone);
    assert_eq!((stands.first, stands.signed_to), (1, stands.last));
    assert_eq!(stands.octets, export.len() as u64);
    assert_eq!(verify(&export, &key, Some(&stands.head)), (0, stands.last, 0));
    assert_eq!(verify(&export, &[], None).0, 0);
    let mut bad = export.clone();
    bad[100] ^= 1;
    assert_eq!(verify(&bad, &key, None), (Code::Audit as i32, 0, 1));
    assert!(last_message().starts_with("audit export: record 1: "), "{}", last_message());
    let mut other = [9; DMSC_AUDIT_KEY_SIZE];
    refused(verify(&export, &other, None).0, INVALID_ARG, "keys: one is of no known kind");
    other[0] = 0;
    assert_eq!(verify(&export, &other, None).0, Code::Audit as i32);
    assert_eq!(verify(&export, &key, Some(&[9; 32])), (Code::Audit as i32, 0, stands.last + 1));
    let secret = bytes(|key| unsafe { dmsc_audit_reveal(phone.client, 3, key) }).unwrap();
    assert_ne!(secret, [0; DMSC_AUDIT_HASH_SIZE]);
    check(unsafe { dmsc_audit_discard(phone.client, stands.last) }).unwrap();
    assert_eq!(info(&phone).first, stands.last + 1);
    let none = unsafe { dmsc_audit_discard(phone.client, 1000) };
    refused(none, INVALID_ARG, "audit: there is no record 1000 yet");
    check(unsafe { dmsc_audit_set_limit(phone.client, 0) }).unwrap();
}

/// A key as Android Keystore keeps them.
struct P256(p256::ecdsa::SigningKey);

impl Signer for P256 {
    fn public_key(&mut self) -> dmsc::error::Result<PublicKey> {
        let point = self.0.verifying_key().to_sec1_point(true);
        Ok(PublicKey::P256(point.as_bytes().try_into().unwrap()))
    }
    fn sign(&mut self, message: &[u8]) -> dmsc::error::Result<[u8; DMSC_AUDIT_SIGNATURE_SIZE]> {
        use p256::ecdsa::signature::Signer as _;
        let signature: p256::ecdsa::Signature = self.0.sign(message);
        Ok(signature.to_bytes().into())
    }
}

/// A key store as a C program would connect it.
struct KeyStore {
    key: std::sync::Mutex<Box<dyn Signer>>,
    answer: AtomicI32,
    signed: AtomicUsize,
    destroyed: AtomicUsize,
}

unsafe fn key_store<'a>(user_data: *mut c_void) -> &'a KeyStore {
    unsafe { &*user_data.cast::<KeyStore>() }
}

unsafe extern "C" fn public_key(user_data: *mut c_void, key: *mut u8) -> i32 {
    unsafe {
        let public = key_store(user_data).key.lock().unwrap().public_key().unwrap().to_octets();
        key.copy_from_nonoverlapping(public.as_ptr(), public.len());
    }
    0
}

unsafe extern "C" fn sign(
    user_data: *mut c_void,
    message: *const u8,
    message_len: usize,
    signature: *mut u8,
) -> i32 {
    unsafe {
        let store = key_store(user_data);
        let message = std::slice::from_raw_parts(message, message_len);
        assert!(message.starts_with(b"dmsc-audit-1\n{\"seq\":"));
        let made = store.key.lock().unwrap().sign(message).unwrap();
        signature.copy_from_nonoverlapping(made.as_ptr(), made.len());
        store.signed.fetch_add(1, Ordering::SeqCst);
        store.answer.load(Ordering::SeqCst)
    }
}

unsafe extern "C" fn destroy(user_data: *mut c_void) {
    unsafe { key_store(user_data) }.destroyed.fetch_add(1, Ordering::SeqCst);
}

#[test]
fn a_key_store_of_the_host_signs_with_ed25519() {
    signs(Box::new(Ed25519::from_seed(&Secret::new([3; 32])).unwrap()));
}

#[test]
fn a_key_store_of_the_host_signs_with_p256() {
    signs(Box::new(P256(p256::ecdsa::SigningKey::from_slice(&[3; 32]).unwrap())));
}

fn signs(key: Box<dyn Signer>) {
    let store = KeyStore {
        key: std::sync::Mutex::new(key),
        answer: AtomicI32::new(0),
        signed: AtomicUsize::new(0),
        destroyed: AtomicUsize::new(0),
    };
    let signer = dmsc_signer {
        struct_size: size_of::<dmsc_signer>(),
        user_data: std::ptr::from_ref(&store).cast::<c_void>().cast_mut(),
        public_key: Some(public_key),
        sign: Some(sign),
        destroy: Some(destroy),
    };
    let phone = Phone::new(Keep::Nothing);
    let half = dmsc_signer { sign: None, ..signer };
    let number = unsafe { dmsc_client_set_signer(phone.client, &raw const half) };
    refused(number, INVALID_ARG, "dmsc_signer needs public_key and sign");
    assert_eq!(store.destroyed.load(Ordering::SeqCst), 0);
    check(unsafe { dmsc_client_set_signer(phone.client, &raw const signer) }).unwrap();
    let key: Key = bytes(|key| unsafe { dmsc_audit_key(phone.client, key) }).unwrap();
    assert_eq!(verify(&export(&phone), &key, None).0, 0);
    assert_eq!(store.signed.load(Ordering::SeqCst), 1);
    // Its own number passes through.
    store.answer.store(-4711, Ordering::SeqCst);
    let (mut buffer, sim) = (null_mut(), Sim::named("demo"));
    phone.ready(&sim);
    assert_eq!(unsafe { dmsc_audit_export(phone.client, &raw mut buffer) }, -4711);
    assert!(buffer.is_null());
    check(unsafe { dmsc_client_set_signer(phone.client, null()) }).unwrap();
    assert_eq!(store.destroyed.load(Ordering::SeqCst), 1);
    let own: Key = bytes(|key| unsafe { dmsc_audit_key(phone.client, key) }).unwrap();
    assert_ne!(own, key);
}

#[test]
fn a_policy_is_read_with_line_and_column() {
    let phone = Phone::new(Keep::Nothing);
    let set = |text: &[u8]| unsafe {
        dmsc_client_set_policy(phone.client, text.as_ptr().cast::<c_char>(), text.len())
    };
    check(set(b"[[rules]]\naction = \"allow\"")).unwrap();
    let text = "policy: line 2, column 10: one of allow, ask, refuse";
    refused(set(b"[[rules]]\naction = \"x\""), INVALID_ARG, text);
    assert_eq!(set(b"\xFF"), Code::Utf8 as i32);
    assert_eq!(set(&[b'#'; 70_000]), Code::TooLarge as i32);
    let none = unsafe { dmsc_client_set_policy(phone.client, null(), 5) };
    refused(none, INVALID_ARG, "text is NULL");
}

#[test]
fn the_policy_asks_through_on_alert() {
    let (sim, phone) = (Sim::named("demo"), Phone::new(Keep::Nothing));
    let policy = "[classes]\nsoftware = \"./Operator/Apn\"\n[[rules]]\nclass = \"software\"\ncommand = [\"Add\", \"Replace\"]\naction = \"ask\"\n[[rules]]\naction = \"allow\"";
    let text = policy.as_ptr().cast::<c_char>();
    check(unsafe { dmsc_client_set_policy(phone.client, text, policy.len()) }).unwrap();
    phone.ears.keep.store(1, Ordering::SeqCst);
    phone.ready(&sim);
    phone.deliver(&sim.push()).unwrap();
    phone.settle();
    let alert = phone.ears.kept.lock().unwrap().remove(0).0;
    let mut asked = blank::<dmsc_alert_info>();
    check(unsafe { dmsc_alert_info_get(alert, &raw mut asked) }).unwrap();
    assert_eq!(asked.purpose, dmsc_alert_purpose::DMSC_ALERT_COMMAND_CONSENT as u32);
    assert_eq!((asked.code, asked.max_display_s, asked.item_count), (1101, 120, 2));
    let first = unsafe { CStr::from_ptr(dmsc_alert_item(alert, 0)) };
    assert_eq!(first.to_str().unwrap(), "Add ./Operator/Apn = internet");
    support::abi::answer(alert, 1).unwrap();
    phone.settle();
    let export = String::from_utf8(export(&phone)).unwrap();
    assert!(export.contains("\"about\":\"consent\"") && export.contains("\"answer\":\"rejected\""));
}
