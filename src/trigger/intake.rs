//! The door for raw trigger octets: decides what they are.
//!
//! Owns that decision only; the forms themselves are [`push`] and [`Notification`].

use super::fault;
use super::notification::Notification;
use super::push::{self, Media, Push};
use crate::error::{Code, Result};

/// What a delivery turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery<'a> {
    /// Package #0, its digest not yet checked.
    Notification(Notification),
    /// A push with a provisioning or bootstrap document, not for this module.
    Provisioning(Push<'a>),
}

/// Sorts `octets` that a host, a card channel or an SMS delivered.
///
/// With `content_type` (a media type, parameters allowed) the octets are the body alone, and only
/// a notification is taken. Without it they are a WSP push PDU or a bare package #0.
/// Fails as [`push::Push::read`] and [`Notification::read`] do.
pub fn sort<'a>(octets: &'a [u8], content_type: Option<&str>) -> Result<Delivery<'a>> {
    if let Some(stated) = content_type {
        let bare = stated.split(';').next().unwrap_or_default();
        return match Media::from_name(bare) {
            Some(Media::Notification) => Notification::read(octets).map(Delivery::Notification),
            _ => Err(fault(
                Code::TriggerFormat,
                "E_WSP_CONTENT_TYPE",
                0,
                "the stated media type is no notification",
            )),
        };
    }
    // A digest that reads as a push of one of our media types by chance would need 24 fixed bits.
    match Push::read(octets) {
        Ok(push) if push.media == Media::Notification => {
            Notification::read(push.body).map(Delivery::Notification)
        }
        Ok(push) => Ok(Delivery::Provisioning(push)),
        Err(no_push) => match Notification::read(octets) {
            Ok(notification) => Ok(Delivery::Notification(notification)),
            Err(_) if octets.get(1) == Some(&push::PUSH) => Err(no_push),
            Err(no_notification) => Err(no_notification),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACKAGE: &[u8] = b"0123456789ABCDEF\x02\xD8\x00\x00\x00\x00\x42\x03srv";

    fn session(delivery: Result<Delivery<'_>>) -> u16 {
        match delivery.unwrap() {
            Delivery::Notification(notification) => notification.session_id,
            Delivery::Provisioning(push) => panic!("{push:?}"),
        }
    }

    #[test]
    fn package_is_found_in_each_wrapping() {
        let push = [&[0x77, 0x06, 0x03, 0xC4, 0xAF, 0x87], PACKAGE].concat();
        assert_eq!(session(sort(PACKAGE, None)), 0x42);
        assert_eq!(session(sort(&push, None)), 0x42);
        let stated = " Application/vnd.syncml.notification ; charset=utf-8";
        assert_eq!(session(sort(PACKAGE, Some(stated))), 0x42);
    }

    #[test]
    fn provisioning_is_passed_on() {
        let push = [0x08, 0x06, 0x01, 0xB6, 0x03, 0x0B];
        let Ok(Delivery::Provisioning(push)) = sort(&push, None) else { panic!("not passed on") };
        assert_eq!((push.media, push.body), (Media::ConnectivityWbxml, &[0x03, 0x0B][..]));
    }

    #[test]
    fn errors_are_those_of_the_likelier_form() {
        let class = |octets: &[u8], stated| {
            sort(octets, stated).unwrap_err().what().split(' ').next().unwrap().to_owned()
        };
        assert_eq!(class(&[0x1A, 0x06, 0x03, 0xC4, 0xAF, 0x85], None), "E_WSP_APP_ID");
        assert_eq!(class(&PACKAGE[..20], None), "E_P0_TRUNCATED");
        assert_eq!(class(b"", None), "E_P0_TRUNCATED");
        assert_eq!(class(PACKAGE, Some("text/plain")), "E_WSP_CONTENT_TYPE");
    }
}
