//! Messages: what was read is written with the predicted size and read again as the same.

#![no_main]

use dmsc::syncml::model::{Command, DataForm, Item, Message};
use dmsc::syncml::{Encoding, message_size, read, read_with, write};
use libfuzzer_sys::fuzz_target;

/// The model keeps all of the message: nothing unknown, and no data as elements.
fn is_whole(commands: &[Command<'_>]) -> bool {
    let plain = |items: &[Item<'_>]| {
        items.iter().filter_map(|item| item.data.as_ref()).all(|d| d.form != DataForm::Embedded)
    };
    commands.iter().all(|command| match command {
        Command::Action(action) => plain(&action.items),
        Command::Alert(alert) => plain(&alert.items),
        Command::Status(status) => plain(&status.items),
        Command::Results(results) => plain(&results.items),
        Command::Group(group) => is_whole(&group.commands),
        Command::Unknown(_) => false,
    })
}

fn round_trip(message: &Message<'_>, encoding: Encoding) {
    // Text XML cannot hold everything; then WBXML's rules for NUL in text may drop one.
    let Ok(octets) = write(message, encoding) else { return };
    assert_eq!(octets.len(), message_size(message, encoding));
    let (again, found) = read(&octets).expect("what is written can be read");
    assert_eq!(found, encoding);
    if is_whole(&message.commands) && write(message, Encoding::Xml).is_ok() {
        assert!(again == *message, "{encoding:?}");
    }
}

fuzz_target!(|octets: &[u8]| {
    let _ = read_with(octets, true);
    if let Ok((message, _)) = read(octets) {
        round_trip(&message, Encoding::Wbxml);
        round_trip(&message, Encoding::Xml);
        assert!(message.clone().into_owned() == message);
    }
});
