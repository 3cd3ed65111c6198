//! The simulated card, in process, as the host's card transport and as the facade's.

use dmsc::card::transport::CardTransport;
use dmsc::error::{Code, Error};
use dmsc::ffi::dmsc_card_transport;
use std::ffi::c_void;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use uicc_sim::card::Card;
use uicc_sim::profile::Profile;

/// What happens to a command instead of going to the card.
pub(crate) enum Instead {
    /// It goes to the card.
    PassOn,
    /// The callback returns this number.
    Return(i32),
    /// The callback gives these octets.
    Answer(Vec<u8>),
    /// The callback claims so many octets without writing any.
    Claim(usize),
    /// Nothing comes until somebody cancels.
    Hang,
}

type Script = Box<dyn FnMut(&[u8]) -> Instead + Send>;

/// A reader with a card in it.
pub(crate) struct Reader {
    card: Mutex<Card>,
    script: Mutex<Option<Script>>,
    exchanges: AtomicUsize,
    destroyed: AtomicUsize,
    locks: AtomicUsize,
    unlocks: AtomicUsize,
    /// True while a command hangs.
    hanging: Mutex<bool>,
    changed: Condvar,
    cancels: AtomicUsize,
}

/// A simulated card; clones are the same card. Has to outlive the client that uses it.
#[derive(Clone)]
pub(crate) struct Sim(Arc<Reader>);

/// The profile of this name as a test wants it: nothing happens by time, nonces are the same in each run.
pub(crate) fn profile(name: &str) -> Profile {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("uicc-sim/profiles");
    let mut profile = Profile::load(&path.join(format!("{name}.toml"))).unwrap();
    profile.card.toolkit.timer_seconds = 0;
    profile.server.seed = Some(1);
    profile
}

/// The demo profile with these `[[package]]` tables instead of its own.
pub(crate) fn scripted(packages: &str) -> Profile {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("uicc-sim/profiles/demo.toml");
    let text = std::fs::read_to_string(path).unwrap();
    let mut scripted = profile("demo");
    let head = text.split("[[package]]").next().unwrap();
    scripted.script = Profile::parse(&format!("{head}\n{packages}")).unwrap().script;
    scripted
}

impl Sim {
    /// The card of the profile `name`.
    pub(crate) fn named(name: &str) -> Self {
        Self::new(profile(name))
    }

    /// The demo card whose server sends these packages.
    pub(crate) fn scripted(packages: &str) -> Self {
        Self::new(scripted(packages))
    }

    pub(crate) fn new(profile: Profile) -> Self {
        Self::of(profile.build().unwrap())
    }

    /// A card that was made otherwise.
    pub(crate) fn of(card: Card) -> Self {
        Self(Arc::new(Reader {
            card: Mutex::new(card),
            script: Mutex::new(None),
            exchanges: AtomicUsize::new(0),
            destroyed: AtomicUsize::new(0),
            locks: AtomicUsize::new(0),
            unlocks: AtomicUsize::new(0),
            hanging: Mutex::new(false),
            changed: Condvar::new(),
            cancels: AtomicUsize::new(0),
        }))
    }

    pub(crate) fn card(&self) -> MutexGuard<'_, Card> {
        self.0.card.lock().unwrap()
    }

    /// Lets `script` look at each command first.
    pub(crate) fn script(&self, script: impl FnMut(&[u8]) -> Instead + Send + 'static) {
        *self.0.script.lock().unwrap() = Some(Box::new(script));
    }

    /// Ends [`script`](Self::script).
    pub(crate) fn plain(&self) {
        *self.0.script.lock().unwrap() = None;
    }

    /// Commands that came so far, whatever became of them.
    pub(crate) fn exchanges(&self) -> usize {
        self.0.exchanges.load(Ordering::SeqCst)
    }

    /// How often the transport's destroy was called.
    pub(crate) fn destroyed(&self) -> usize {
        self.0.destroyed.load(Ordering::SeqCst)
    }

    /// Calls of lock and unlock.
    pub(crate) fn locks(&self) -> (usize, usize) {
        (self.0.locks.load(Ordering::SeqCst), self.0.unlocks.load(Ordering::SeqCst))
    }

    /// The push that the card's issuer would send.
    pub(crate) fn push(&self) -> Vec<u8> {
        self.card().notification()
    }

    /// The transport that a C program would write.
    pub(crate) fn transport(&self) -> dmsc_card_transport {
        dmsc_card_transport {
            struct_size: size_of::<dmsc_card_transport>(),
            user_data: Arc::as_ptr(&self.0).cast::<c_void>().cast_mut(),
            transmit: Some(transmit),
            open_channel: None,
            close_channel: None,
            lock: Some(lock),
            unlock: Some(unlock),
            get_atr: Some(get_atr),
            destroy: Some(destroy),
            cancel: None,
            flags: 0,
            max_le: 0,
            timeout_ms: 0,
        }
    }

    /// The same, and a command that hangs can be cancelled; the library does it itself after `timeout_ms`.
    pub(crate) fn cancellable(&self, timeout_ms: u32) -> dmsc_card_transport {
        dmsc_card_transport { cancel: Some(cancel), timeout_ms, ..self.transport() }
    }

    /// Waits until a command hangs.
    pub(crate) fn wait_for_hang(&self) {
        let hanging = self.0.hanging.lock().unwrap();
        drop(self.0.changed.wait_while(hanging, |hanging| !*hanging).unwrap());
    }

    /// Calls of cancel.
    pub(crate) fn cancels(&self) -> usize {
        self.0.cancels.load(Ordering::SeqCst)
    }

    fn hang(&self) -> Instead {
        let mut hanging = self.0.hanging.lock().unwrap();
        *hanging = true;
        self.0.changed.notify_all();
        drop(self.0.changed.wait_while(hanging, |hanging| *hanging).unwrap());
        Instead::Return(Code::Cancelled as i32)
    }

    /// The transport of the facade.
    pub(crate) fn boxed(&self) -> Box<dyn CardTransport> {
        Box::new(Boxed(self.clone()))
    }

    fn exchange(&self, command: &[u8]) -> Instead {
        self.0.exchanges.fetch_add(1, Ordering::SeqCst);
        // Taken out, so that a script may use the card and the library.
        let script = self.0.script.lock().unwrap().take();
        let instead = match script {
            None => Instead::PassOn,
            Some(mut script) => {
                let instead = script(command);
                self.0.script.lock().unwrap().get_or_insert(script);
                instead
            }
        };
        match instead {
            Instead::PassOn => match self.card().transmit(command) {
                Ok(response) => Instead::Answer(response),
                Err(_) => Instead::Return(Code::CardRemoved as i32),
            },
            Instead::Hang => self.hang(),
            other => other,
        }
    }
}

/// # Safety
/// `user_data` is the pointer of [`Sim::transport`].
unsafe fn sim<'a>(user_data: *mut c_void) -> &'a Reader {
    unsafe { &*user_data.cast::<Reader>() }
}

unsafe extern "C" fn transmit(
    user_data: *mut c_void,
    command: *const u8,
    command_len: usize,
    response: *mut u8,
    response_cap: usize,
    response_len: *mut usize,
) -> i32 {
    let (reader, command) = unsafe {
        let reader = user_data.cast::<Reader>().cast_const();
        Arc::increment_strong_count(reader);
        (Sim(Arc::from_raw(reader)), std::slice::from_raw_parts(command, command_len))
    };
    assert!(response_cap >= 258);
    match reader.exchange(command) {
        Instead::Answer(octets) => unsafe {
            assert!(octets.len() <= response_cap);
            response.copy_from_nonoverlapping(octets.as_ptr(), octets.len());
            response_len.write(octets.len());
            0
        },
        Instead::Claim(octets) => unsafe {
            response_len.write(octets);
            0
        },
        Instead::Return(number) => number,
        Instead::PassOn | Instead::Hang => unreachable!("exchange has dealt with it"),
    }
}

unsafe extern "C" fn get_atr(
    user_data: *mut c_void,
    atr: *mut u8,
    cap: usize,
    len: *mut usize,
) -> i32 {
    unsafe {
        let octets = sim(user_data).card.lock().unwrap().atr().to_vec();
        assert!(octets.len() <= cap);
        atr.copy_from_nonoverlapping(octets.as_ptr(), octets.len());
        len.write(octets.len());
    }
    0
}

unsafe extern "C" fn lock(user_data: *mut c_void) -> i32 {
    unsafe { sim(user_data) }.locks.fetch_add(1, Ordering::SeqCst);
    0
}

unsafe extern "C" fn unlock(user_data: *mut c_void) {
    unsafe { sim(user_data) }.unlocks.fetch_add(1, Ordering::SeqCst);
}

unsafe extern "C" fn destroy(user_data: *mut c_void) {
    unsafe { sim(user_data) }.destroyed.fetch_add(1, Ordering::SeqCst);
}

unsafe extern "C" fn cancel(user_data: *mut c_void) {
    let reader = unsafe { sim(user_data) };
    reader.cancels.fetch_add(1, Ordering::SeqCst);
    *reader.hanging.lock().unwrap() = false;
    reader.changed.notify_all();
}

/// The same for the facade, which takes errors instead of numbers.
struct Boxed(Sim);

impl CardTransport for Boxed {
    fn transmit(&mut self, command: &[u8]) -> dmsc::error::Result<Vec<u8>> {
        match self.0.exchange(command) {
            Instead::Answer(octets) => Ok(octets),
            Instead::Return(number) => {
                let code = Code::from_number(number).unwrap_or(Code::Callback);
                Err(Error::new(code, "the reader failed").with_os_error(number))
            }
            _ => unreachable!("only a C callback can claim"),
        }
    }

    fn atr(&mut self) -> dmsc::error::Result<Vec<u8>> {
        Ok(self.0.card().atr().to_vec())
    }
}
