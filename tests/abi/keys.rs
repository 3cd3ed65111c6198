//! The keys of the store: the host's, or files beside it; patterns of secret URIs; rotation.

use super::*;

const BUSY: i32 = -7;
const NOT_SUPPORTED: i32 = -4;
const URI: i32 = -505;
const STORAGE_KEY: i32 = -523;

/// A host's key store.
#[derive(Default)]
struct KeyStore {
    keys: Mutex<std::collections::BTreeMap<u32, [u8; 32]>>,
    /// What make returns instead of making a key, if not 0.
    fails: AtomicI32,
    destroyed: AtomicUsize,
}

unsafe fn store<'a>(user_data: *mut c_void) -> &'a KeyStore {
    unsafe { &*user_data.cast::<KeyStore>() }
}

unsafe extern "C" fn load(user_data: *mut c_void, number: u32, key: *mut u8) -> i32 {
    match unsafe { store(user_data) }.keys.lock().unwrap().get(&number) {
        Some(found) => {
            unsafe { key.copy_from(found.as_ptr(), 32) };
            0
        }
        None => STORAGE_KEY,
    }
}

unsafe extern "C" fn make(user_data: *mut c_void, number: u32, key: *mut u8) -> i32 {
    let store = unsafe { store(user_data) };
    let fails = store.fails.load(Ordering::SeqCst);
    if fails == 0 {
        // The host mixes something of its own into what the library proposes.
        let key = unsafe { std::slice::from_raw_parts_mut(key, 32) };
        assert_ne!(key, [0; 32]);
        key[0] = b'H';
        store.keys.lock().unwrap().insert(number, key.try_into().unwrap());
    }
    fails
}

unsafe extern "C" fn remove(user_data: *mut c_void, number: u32) -> i32 {
    unsafe { store(user_data) }.keys.lock().unwrap().remove(&number);
    0
}

unsafe extern "C" fn destroy(user_data: *mut c_void) {
    unsafe { store(user_data) }.destroyed.fetch_add(1, Ordering::SeqCst);
}

impl KeyStore {
    fn callbacks(&self) -> dmsc_keys {
        dmsc_keys {
            user_data: std::ptr::from_ref(self).cast_mut().cast(),
            load: Some(load),
            make: Some(make),
            remove: Some(remove),
            destroy: Some(destroy),
            ..blank()
        }
    }

    fn numbers(&self) -> Vec<u32> {
        self.keys.lock().unwrap().keys().copied().collect()
    }
}

/// A client over a directory, with the host's keys or, without `keys`, with key files.
fn open(
    path: &Path,
    keys: Option<&KeyStore>,
    secret: &[&str],
) -> Result<*mut dmsc_client, Failure> {
    let (device, path) = (c(DEVICE), c(path.to_str().unwrap()));
    let callbacks = keys.map(KeyStore::callbacks);
    let uris: Vec<_> = secret.iter().map(|uri| c(uri)).collect();
    let pointers: Vec<_> = uris.iter().map(|uri| uri.as_ptr()).collect();
    let config = dmsc_config {
        data_dir: path.as_ptr(),
        keys: callbacks.as_ref().map_or(null(), std::ptr::from_ref),
        secret_uris: pointers.as_ptr(),
        secret_uri_count: pointers.len(),
        ..config(&device)
    };
    let mut client = null_mut();
    check(unsafe { dmsc_client_new(&raw const config, null(), &raw mut client) })?;
    Ok(client)
}

fn add(client: *mut dmsc_client, uri: &str, text: &str) {
    let mut txn = null_mut();
    let value = dmsc_node_value { format: 1, data: text.as_ptr(), data_len: text.len(), ..blank() };
    unsafe {
        check(dmsc_txn_begin(client, &raw mut txn)).unwrap();
        check(dmsc_txn_add(txn, c(uri).as_ptr(), &raw const value)).unwrap();
        check(dmsc_txn_commit(txn)).unwrap();
    }
}

fn get(client: *mut dmsc_client, uri: &str) -> String {
    let mut buffer = null_mut();
    check(unsafe { dmsc_tree_get(client, c(uri).as_ptr(), &raw mut buffer) }).unwrap();
    String::from_utf8(take_buffer(buffer)).unwrap()
}

fn octets(directory: &Path) -> Vec<u8> {
    let files = std::fs::read_dir(directory).unwrap();
    files.flat_map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect()
}

fn holds(directory: &Path, text: &str) -> bool {
    octets(directory).windows(text.len()).any(|window| window == text.as_bytes())
}

#[test]
fn the_hosts_keys_seal_what_the_host_calls_secret() {
    let (directory, keys) = (support::abi::directory("host-keys"), KeyStore::default());
    let client = open(&directory, Some(&keys), &["./Wifi/*/Key"]).unwrap();
    assert_eq!(keys.numbers(), [1]);
    add(client, "./Wifi/Home/Key", "a-wifi-password");
    add(client, "./NAP/1/AuthInfo/1/AuthSecret", "a-nap-password");
    assert_eq!(get(client, "./Wifi/Home/Key"), "a-wifi-password");
    assert!(!holds(&directory, "-password"));

    let mut txn = null_mut();
    check(unsafe { dmsc_txn_begin(client, &raw mut txn) }).unwrap();
    refused(unsafe { dmsc_client_rotate_key(client) }, BUSY, "another write transaction");
    unsafe { dmsc_txn_rollback(txn) };
    // A key that the host cannot make leaves everything as it was.
    keys.fails.store(-4711, Ordering::SeqCst);
    refused(unsafe { dmsc_client_rotate_key(client) }, -4711, "key make");
    assert_eq!(
        (keys.numbers(), get(client, "./Wifi/Home/Key")),
        (vec![1], "a-wifi-password".into())
    );
    keys.fails.store(0, Ordering::SeqCst);
    check(unsafe { dmsc_client_rotate_key(client) }).unwrap();
    assert_eq!(
        (keys.numbers(), get(client, "./Wifi/Home/Key")),
        (vec![2], "a-wifi-password".into())
    );
    unsafe { dmsc_client_free(client) };
    assert_eq!(keys.destroyed.load(Ordering::SeqCst), 1);

    // Key files do not open it, and nothing of the attempt stays.
    let failure = open(&directory, None, &[]).unwrap_err();
    assert_eq!(failure.status, STORAGE_KEY, "{}", failure.message);
    assert_eq!(failure.message, "store: key 2, which it is sealed with, is missing");
    let client = open(&directory, Some(&keys), &[]).unwrap();
    assert_eq!(get(client, "./NAP/1/AuthInfo/1/AuthSecret"), "a-nap-password");
    unsafe { dmsc_client_free(client) };
    let failure = open(&directory, Some(&KeyStore::default()), &[]).unwrap_err();
    assert_eq!(failure.status, STORAGE_KEY, "{}", failure.message);
    assert!(!holds(&directory, "-password"));
}

#[test]
fn patterns_and_keys_that_cannot_be_used() {
    let directory = support::abi::directory("bad-patterns");
    let failure = open(&directory, None, &["Wifi"]).unwrap_err();
    assert_eq!(
        (failure.status, failure.message.as_str()),
        (URI, "\"Wifi\" is no pattern of a URI")
    );
    let many: Vec<String> = (0..65).map(|number| format!("./{number}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(open(&directory, None, &many).unwrap_err().status, INVALID_ARG);
    let failure = open(&directory, None, &many[..64]).unwrap_err();
    assert_eq!(failure.message, "more than 64 patterns of secret URIs");
    let device = c(DEVICE);
    let config = dmsc_config { secret_uri_count: 1, ..config(&device) };
    let number = unsafe { dmsc_client_new(&raw const config, null(), &mut null_mut()) };
    refused(number, INVALID_ARG, "secret_uris is NULL");
    let pointers = [null()];
    let config = dmsc_config { secret_uris: pointers.as_ptr(), ..config };
    let number = unsafe { dmsc_client_new(&raw const config, null(), &mut null_mut()) };
    refused(number, INVALID_ARG, "secret_uris is NULL");

    let keys = KeyStore::default();
    keys.fails.store(-3, Ordering::SeqCst);
    assert_eq!(open(&directory, Some(&keys), &[]).unwrap_err().status, -3);
    assert_eq!(keys.destroyed.load(Ordering::SeqCst), 0, "it was not accepted");
    let client = bare();
    refused(unsafe { dmsc_client_rotate_key(client) }, NOT_SUPPORTED, "not kept");
    unsafe { dmsc_client_free(client) };
}

#[test]
fn no_secret_of_a_bootstrap_or_a_session_is_in_the_file() {
    let directory = support::abi::directory("session-secrets");
    let sim = Sim::named("demo");
    let phone = Phone::new(Keep::Directory(&directory));
    phone.ready(&sim);
    let id = phone.deliver(&sim.push()).unwrap();
    phone.settle();
    let ended = phone.ears.of(dmsc_event_type::DMSC_EVENT_SESSION_ENDED);
    assert!(ended.iter().any(|ended| ended.session_id == id && ended.status == 0));
    check(unsafe { dmsc_client_rotate_key(phone.client) }).unwrap();
    phone.free();
    let config = dmsc::config::Config {
        keys: Some(Arc::new(dmsc::store::key_file::KeyFiles::new(&directory))),
        ..dmsc::config::Config::new(DEVICE)
    };
    let store = dmsc::store::redb::RedbStore::open(&directory).unwrap();
    let view = config.database(Arc::new(store)).unwrap().read().unwrap();
    let account = dmsc::tree::dmacc::find(&view, "com.example.sc").unwrap().unwrap();
    drop(view);
    let (client, server) = (account.client.unwrap(), account.server.unwrap());
    assert_eq!(client.secret.expose(), b"terminal-secret");
    assert_ne!(client.nonce.expose(), b"first-client-nonce", "the session brought another one");
    let octets = octets(&directory);
    for secret in [client.secret.expose(), client.nonce.expose(), server.secret.expose()] {
        assert!(!octets.windows(secret.len()).any(|window| window == secret));
    }
    assert!(!holds(&directory, "first-client-nonce") && !holds(&directory, "first-server-nonce"));
    assert!(holds(&directory, "com.example.sc"));
    assert!(directory.join("dmsc-2.key").exists() && !directory.join("dmsc-1.key").exists());
}
