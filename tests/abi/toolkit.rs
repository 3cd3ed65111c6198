//! The toolkit and the host: commands that the host's modem fetches, questions of the card to the host, the
//! profile that tells the truth about it, and events.

use super::*;

const BAD_DATA: i32 = dmsc_status::DMSC_ERR_CARD_BAD_DATA as i32;
const ALL: u32 = 0x7FFF;

fn vector(name: &str) -> Vec<u8> {
    let rows = include_str!("../data/smartcard-vectors.tsv");
    let row = rows.lines().find(|row| row.split('\t').next() == Some(name)).unwrap();
    dmsc::bytes::hex::decode(row.split('\t').nth(2).unwrap()).unwrap()
}

/// A request, copied.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Asked {
    command: u32,
    manner: u32,
    text: String,
    second: String,
    data: Vec<u8>,
    items: Vec<(u32, String)>,
}

/// What the callbacks heard, and how requests are answered; `None`: they are kept.
#[derive(Default)]
struct Host {
    asked: Vec<Asked>,
    sent: Vec<(u32, Vec<u8>)>,
    reply: Option<(u32, u32, Option<&'static CStr>)>,
    kept: Vec<*mut dmsc_toolkit_request>,
    answers: Vec<i32>,
    withdrawn: u32,
    destroyed: u32,
}

unsafe fn host<'a>(user_data: *mut c_void) -> &'a mut Host {
    unsafe { &mut *user_data.cast::<Host>() }
}

fn text(pointer: *const c_char) -> String {
    unsafe { CStr::from_ptr(pointer) }.to_str().unwrap().to_owned()
}

unsafe extern "C" fn request(user_data: *mut c_void, request: *mut dmsc_toolkit_request) {
    let host = unsafe { host(user_data) };
    let mut info = blank::<dmsc_toolkit_request_info>();
    assert_eq!(unsafe { dmsc_toolkit_request_info_get(request, &raw mut info) }, 0);
    let items = (0..info.item_count).map(|index| {
        let mut id = 0;
        let name = unsafe { dmsc_toolkit_item(request, index, &raw mut id) };
        (id, text(name))
    });
    let items = items.collect();
    assert!(unsafe { dmsc_toolkit_item(request, info.item_count, null_mut()) }.is_null());
    let data = match info.data_len {
        0 => Vec::new(),
        len => unsafe { std::slice::from_raw_parts(info.data, len) }.to_vec(),
    };
    let (text, second) = (text(info.text), text(info.second));
    host.asked.push(Asked {
        command: info.command,
        manner: info.manner,
        text,
        second,
        data,
        items,
    });
    match host.reply {
        Some((outcome, choice, text)) => host.answers.push(reply(request, outcome, choice, text)),
        None => host.kept.push(request),
    }
}

fn reply(
    request: *mut dmsc_toolkit_request,
    outcome: u32,
    choice: u32,
    text: Option<&CStr>,
) -> i32 {
    let text = text.map_or(null(), CStr::as_ptr);
    let reply = dmsc_toolkit_reply { outcome, choice, text, ..blank() };
    unsafe { dmsc_toolkit_answer(request, &raw const reply) }
}

unsafe extern "C" fn send(
    user_data: *mut c_void,
    slot: u32,
    what: u32,
    data: *const u8,
    len: usize,
) {
    assert_eq!(slot, 0);
    let octets = unsafe { std::slice::from_raw_parts(data, len) }.to_vec();
    unsafe { host(user_data) }.sent.push((what, octets));
}

unsafe extern "C" fn withdrawn(user_data: *mut c_void, _slot: u32) {
    unsafe { host(user_data) }.withdrawn += 1;
}

unsafe extern "C" fn destroy(user_data: *mut c_void) {
    unsafe { host(user_data) }.destroyed += 1;
}

fn offer(phone: &Phone, host: &mut Host, capabilities: u32) {
    let c = dmsc_toolkit_host {
        user_data: std::ptr::from_mut(host).cast(),
        capabilities,
        request: Some(request),
        withdrawn: Some(withdrawn),
        send: Some(send),
        destroy: Some(destroy),
        ..blank()
    };
    assert_eq!(status(unsafe { dmsc_client_set_toolkit_host(phone.client, &raw const c) }), 0);
}

/// A card whose toolkit the host's modem owns.
struct Fed {
    phone: Phone,
    card: *mut dmsc_card,
    _sim: Sim,
}

impl Fed {
    fn new(host: &mut Host, capabilities: u32) -> Self {
        let (sim, phone) = (Sim::named("demo"), Phone::new(Keep::Nothing));
        offer(&phone, host, capabilities);
        let card = phone.open(&sim, 0).unwrap().0;
        Self { phone, card, _sim: sim }
    }

    /// Feeds one command; the response, if it is there at once.
    fn feed(&self, command: &[u8]) -> Result<Option<Vec<u8>>, Failure> {
        let mut response = null_mut();
        check(unsafe {
            let (data, len) = (command.as_ptr(), command.len());
            dmsc_card_proactive_command(self.card, data, len, &raw mut response)
        })?;
        Ok(Some(response).filter(|response| !response.is_null()).map(take_buffer))
    }

    fn profile(&self) -> String {
        let mut profile = null_mut();
        assert_eq!(status(unsafe { dmsc_card_terminal_profile(self.card, &raw mut profile) }), 0);
        dmsc::bytes::hex::encode(&take_buffer(profile))
    }

    fn event(&self, event: dmsc_toolkit_event, value: u32) -> i32 {
        status(unsafe { dmsc_card_toolkit_event(self.card, event as u32, value) })
    }
}

#[test]
fn the_profile_tells_what_the_host_can_do() {
    let mut host = Host::default();
    assert_eq!(Fed::new(&mut host, 0).profile(), "2101E840014D00070800009FE00000001C00");
    assert_eq!(host.destroyed, 1);
    let fed = Fed::new(&mut host, ALL);
    assert_eq!(fed.profile(), "29E1FF7F714F005F6B00009FE00000001C01");
}

#[test]
fn commands_of_the_modem_are_answered_at_once_where_nobody_is_asked() {
    let mut host = Host::default();
    let fed = Fed::new(&mut host, 0);
    for (command, response) in [
        ("pc-poll-interval-20s", "tr-poll-interval-20s"),
        ("pc-polling-off", "tr-polling-off"),
        ("srv-pc-open-3516", "srv-tr-open-listen"),
        ("trg-pc-open-udp-local-2948", ""),
        ("neg-unknown-type", "neg-tr-unknown-type"),
    ] {
        let answer = fed.feed(&vector(command)).unwrap().unwrap();
        if !response.is_empty() {
            assert_eq!(answer, vector(response), "{command}");
        }
    }
    assert_eq!(fed.feed(b"\xD0\x80").unwrap_err().status, BAD_DATA);
    // What was not announced is beyond the terminal.
    let answer = fed.feed(&vector("pc-select-item")).unwrap().unwrap();
    assert_eq!(answer[9..12], [0x83, 0x01, 0x30]);
    // Timers and channels come to the host's modem.
    fed.phone.settle();
    assert!(host.asked.is_empty() && host.sent.is_empty());
    let toolkit = status(unsafe { dmsc_card_toolkit_start(fed.card) });
    assert_eq!(toolkit, STATE, "there is one owner");
}

#[test]
fn sc_105_sc_106_the_host_is_asked_and_its_answer_is_sent() {
    let list = vec![
        (1, "Item 1".to_owned()),
        (2, "Item 2".to_owned()),
        (3, "Item 3".to_owned()),
        (4, "Item 4".to_owned()),
    ];
    let asked = |command, manner, text: &str| Asked {
        command,
        manner,
        text: text.to_owned(),
        second: String::new(),
        data: Vec::new(),
        items: Vec::new(),
    };
    let rows = [
        (
            "pc-select-item",
            "tr-select-item",
            (0, 2, None),
            Asked { items: list, ..asked(0x24, 0, "Toolkit Select") },
        ),
        ("pc-get-input", "tr-get-input", (0, 0, Some(c"12345")), asked(0x23, 0, "Enter 12345")),
        (
            "pc-launch-browser-url",
            "tr-launch-browser-err",
            (8, 0, None),
            Asked { second: "http://xxx.yyy.zzz".to_owned(), ..asked(0x15, 0, "") },
        ),
    ];
    for (command, response, answer, expected) in rows {
        let mut host = Host { reply: Some(answer), ..Host::default() };
        let fed = Fed::new(&mut host, ALL);
        assert_eq!(fed.feed(&vector(command)).unwrap(), None, "{command}");
        fed.phone.settle();
        assert_eq!(host.asked, [expected], "{command}");
        assert_eq!(host.answers, [0]);
        assert_eq!(host.sent, [(1, vector(response))], "{command}");
    }
}

#[test]
fn every_command_of_the_host_has_its_request() {
    let body = |kind: u8, objects: &[u8]| {
        let head = [0x81, 0x03, 0x01, kind, 0x00, 0x82, 0x02, 0x81, 0x82];
        [&[0xD0, (head.len() + objects.len()) as u8], &head[..], objects].concat()
    };
    let rows: [(u8, &[u8], &str, &[u8]); 9] = [
        (0x10, b"\x85\x04Call\x86\x03\x91\x21\x43", "Call", &[0x91, 0x21, 0x43]),
        (0x11, b"\x89\x03\x91\xAA\x12", "", &[0x91, 0xAA, 0x12]),
        (0x12, b"\x85\x01S\x8A\x03\x0F\x2A\x23", "S", &[0x0F, 0x2A, 0x23]),
        (0x13, b"\x8B\x02\x01\x02", "", &[0x01, 0x02]),
        (0x14, b"\xAC\x02\x21\x43", "", &[0x21, 0x43]),
        (0x20, b"\x85\x04Tone\x8E\x01\x10\x84\x02\x01\x02", "Tone", &[0x10]),
        (0x21, b"\x8D\x03\x04Hi", "Hi", &[]),
        (0x28, b"\x8D\x05\x04Idle", "Idle", &[]),
        (0x35, b"", "", &[]),
    ];
    for (kind, objects, text, data) in rows {
        let mut host = Host { reply: Some((0, 0, None)), ..Host::default() };
        let fed = Fed::new(&mut host, ALL);
        assert_eq!(fed.feed(&body(kind, objects)).unwrap(), None, "{kind:02X}");
        fed.phone.settle();
        let asked = host.asked.pop().unwrap();
        assert_eq!((asked.command, &*asked.text, &*asked.data), (kind.into(), text, data));
        assert_eq!(host.sent[0].1[9..12], [0x83, 0x01, 0x00], "{kind:02X}");
    }
}

#[test]
fn a_menu_is_set_up_and_what_is_chosen_is_an_envelope() {
    let mut host = Host { reply: Some((0, 0, None)), ..Host::default() };
    let fed = Fed::new(&mut host, ALL);
    let menu = b"\xD0\x13\x81\x03\x01\x25\x00\x82\x02\x81\x82\x85\x04Menu\x8F\x02\x02A";
    assert_eq!(fed.feed(menu).unwrap(), None);
    fed.phone.settle();
    assert_eq!((host.asked[0].command, &*host.asked[0].text), (0x25, "Menu"));
    assert_eq!(host.asked[0].items, [(2, "A".to_owned())]);
    assert_eq!(fed.event(dmsc_toolkit_event::DMSC_TOOLKIT_MENU_SELECTED, 2), 0);
    fed.phone.settle();
    assert_eq!(host.sent.last().unwrap(), &(2, vector("env-menu-selection")));
    // The next one waits for the card's answer to this one, and comes again while the card is busy.
    assert_eq!(fed.event(dmsc_toolkit_event::DMSC_TOOLKIT_MENU_HELP, 1), 0);
    fed.phone.settle();
    let sent = host.sent.len();
    let answered = |sw| status(unsafe { dmsc_card_envelope_answered(fed.card, sw) });
    assert_eq!(answered(0x9000), 0);
    fed.phone.settle();
    assert_eq!(host.sent.len(), sent + 1);
    assert_eq!(
        host.sent[sent].1,
        [0xD3, 0x09, 0x82, 0x02, 0x01, 0x81, 0x90, 0x01, 0x01, 0x15, 0x00]
    );
    assert_eq!(answered(0x1_0000), INVALID_ARG);
    assert_eq!(fed.event(dmsc_toolkit_event::DMSC_TOOLKIT_MENU_SELECTED, 256), INVALID_ARG);
}

#[test]
fn sc_099_sc_100_what_the_host_tells_is_what_the_card_hears() {
    let mut host = Host::default();
    let fed = Fed::new(&mut host, ALL);
    let location = [0x00, 0xF1, 0x10, 0x00, 0x02, 0x00, 0x02, 0x00, 0x01];
    let ask = |qualifier| {
        let command = [0xD0, 0x09, 0x81, 0x03, 0x01, 0x26, qualifier, 0x82, 0x02, 0x81, 0x82];
        fed.feed(&command).unwrap().unwrap()[9..].to_vec()
    };
    assert_eq!(ask(0x00), [0x83, 0x02, 0x20, 0x04]);
    let events = b"\xD0\x0E\x81\x03\x01\x05\x00\x82\x02\x81\x82\x99\x03\x03\x04\x07";
    assert_eq!(fed.feed(events).unwrap().unwrap()[9..], [0x83, 0x01, 0x00]);
    let info = dmsc_local_info {
        imei: c"123456789012345".as_ptr(),
        language: c"de".as_ptr(),
        location: location.as_ptr(),
        location_len: location.len(),
        ..blank()
    };
    let set = |info: &dmsc_local_info| status(unsafe { dmsc_card_set_local_info(fed.card, info) });
    assert_eq!(set(&info), 0);
    assert_eq!(ask(0x00)[..5], [0x83, 0x01, 0x00, 0x93, 0x09]);
    for expected in ["env-language-de", "env-location"] {
        fed.phone.settle();
        assert_eq!(host.sent.pop(), Some((2, vector(expected))));
        assert_eq!(status(unsafe { dmsc_card_envelope_answered(fed.card, 0x9000) }), 0);
    }
    assert_eq!(fed.event(dmsc_toolkit_event::DMSC_TOOLKIT_USER_ACTIVITY, 0), 0);
    assert_eq!(fed.event(dmsc_toolkit_event::DMSC_TOOLKIT_USER_ACTIVITY, 0), 0);
    fed.phone.settle();
    assert_eq!(host.sent, [(2, b"\xD6\x07\x99\x01\x04\x82\x02\x82\x81".to_vec())]);
    for bad in [
        dmsc_local_info { imei: c"12345".as_ptr(), ..blank() },
        dmsc_local_info { language: c"deu".as_ptr(), ..blank() },
        dmsc_local_info { has_utc_offset: 1, utc_offset_quarters: 80, ..blank() },
        dmsc_local_info { location_len: 3, ..info },
    ] {
        assert_eq!(set(&bad), INVALID_ARG);
    }
}

#[test]
fn answers_that_do_not_fit_or_come_too_late() {
    let mut host = Host { reply: Some((0, 9, None)), ..Host::default() };
    let fed = Fed::new(&mut host, ALL);
    fed.feed(&vector("pc-select-item")).unwrap();
    fed.phone.settle();
    assert_eq!(host.answers, [INVALID_ARG]);
    assert_eq!(host.sent[0].1[9..13], [0x83, 0x02, 0x20, 0x00], "the card is not kept waiting");
    // A second command while one is open, and a late answer to the first.
    host.reply = None;
    fed.feed(&vector("pc-select-item")).unwrap();
    fed.phone.settle();
    assert_eq!(fed.feed(&vector("pc-more-time")).unwrap_err().status, STATE);
    let kept = host.kept.pop().unwrap();
    let notify = |event: dmsc_card_event| unsafe { dmsc_card_notify(fed.card, event as u32) };
    assert_eq!(notify(dmsc_card_event::DMSC_CARD_RESET), 0);
    fed.phone.settle();
    let sent = host.sent.len();
    assert_eq!(reply(kept, 0, 1, None), 0);
    fed.phone.settle();
    assert_eq!(host.sent.len(), sent, "a reset card gets no answer of before");
}

#[test]
fn the_library_as_owner_asks_the_host_too() {
    let (sim, phone) = (Sim::named("demo"), Phone::new(Keep::Nothing));
    let mut host = Host { reply: Some((0, 3, None)), ..Host::default() };
    offer(&phone, &mut host, dmsc_toolkit_capability::DMSC_TOOLKIT_SELECT_ITEM as u32);
    let card = phone.ready(&sim);
    let command = vector("pc-select-item");
    let answered = Arc::new(Mutex::new(Vec::new()));
    let (answers, announced) = (Arc::clone(&answered), command.len() as u8);
    sim.script(move |apdu| match apdu[1] {
        0xF2 => Instead::Answer(vec![0x91, announced]),
        0x12 => Instead::Answer([&command[..], &[0x90, 0x00]].concat()),
        0x14 => {
            answers.lock().unwrap().push(apdu[5..].to_vec());
            Instead::Answer(vec![0x90, 0x00])
        }
        _ => Instead::PassOn,
    });
    card.notify(dmsc_card_event::DMSC_CARD_PROACTIVE).unwrap();
    phone.settle();
    let expected = b"\x81\x03\x01\x24\x00\x82\x02\x82\x81\x83\x01\x00\x90\x01\x03".to_vec();
    assert_eq!(*answered.lock().unwrap(), [expected]);
    sim.plain();
    drop(phone);
    assert_eq!(host.destroyed, 1);
}

#[test]
fn hosts_that_make_no_sense_are_refused() {
    let phone = Phone::new(Keep::Nothing);
    let refuse = |host: dmsc_toolkit_host, text: &str| {
        let number = unsafe { dmsc_client_set_toolkit_host(phone.client, &raw const host) };
        refused(number, INVALID_ARG, text);
    };
    refuse(dmsc_toolkit_host { capabilities: 1 << 15, ..blank() }, "unknown bits");
    refuse(dmsc_toolkit_host { capabilities: 1, ..blank() }, "no request callback");
    assert_eq!(status(unsafe { dmsc_client_set_toolkit_host(phone.client, null()) }), 0);
}
