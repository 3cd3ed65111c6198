//! Messages freed from the octets they were read from.

use super::model::{
    Action, Alert, Command, Cred, Data, Few, Group, Header, Item, Location, Message, Meta,
    MetaExtra, Results, Status, Text, Unknown,
};
use std::borrow::Cow;

fn text(text: Text<'_>) -> Text<'static> {
    Cow::Owned(text.into_owned())
}

fn optional(text: Option<Text<'_>>) -> Option<Text<'static>> {
    text.map(|text| Cow::Owned(text.into_owned()))
}

fn texts(all: Few<Text<'_>>) -> Few<Text<'static>> {
    all.into_iter().map(text).collect()
}

fn items(all: Vec<Item<'_>>) -> Vec<Item<'static>> {
    all.into_iter().map(Item::into_owned).collect()
}

impl Message<'_> {
    /// The same message with text of its own.
    pub fn into_owned(self) -> Message<'static> {
        Message {
            header: self.header.into_owned(),
            commands: self.commands.into_iter().map(Command::into_owned).collect(),
            is_final: self.is_final,
        }
    }
}

impl Header<'_> {
    /// The same header with text of its own.
    pub fn into_owned(self) -> Header<'static> {
        Header {
            ver_dtd: text(self.ver_dtd),
            ver_proto: text(self.ver_proto),
            session_id: text(self.session_id),
            msg_id: text(self.msg_id),
            target: self.target.into_owned(),
            source: self.source.into_owned(),
            resp_uri: optional(self.resp_uri),
            cred: self.cred.map(Cred::into_owned),
            meta: self.meta.into_owned(),
        }
    }
}

impl Location<'_> {
    /// The same location with text of its own.
    pub fn into_owned(self) -> Location<'static> {
        Location { uri: text(self.uri), name: self.name.map(|name| Box::new(text(*name))) }
    }
}

impl Meta<'_> {
    /// The same Meta with text of its own.
    pub fn into_owned(self) -> Meta<'static> {
        Meta {
            format: optional(self.format),
            mime: optional(self.mime),
            size: self.size,
            extra: self.extra.map(|extra| Box::new(extra.into_owned())),
        }
    }
}

impl MetaExtra<'_> {
    fn into_owned(self) -> MetaExtra<'static> {
        MetaExtra {
            mark: optional(self.mark),
            next_nonce: optional(self.next_nonce),
            max_msg_size: self.max_msg_size,
            max_obj_size: self.max_obj_size,
        }
    }
}

impl Cred<'_> {
    /// The same credentials with text of their own.
    pub fn into_owned(self) -> Cred<'static> {
        Cred { meta: self.meta.into_owned(), data: text(self.data) }
    }
}

impl Data<'_> {
    /// The same data with octets of its own.
    pub fn into_owned(self) -> Data<'static> {
        Data { form: self.form, octets: Cow::Owned(self.octets.into_owned()) }
    }
}

impl Item<'_> {
    /// The same item with text of its own.
    pub fn into_owned(self) -> Item<'static> {
        Item {
            target: self.target.map(Location::into_owned),
            source: self.source.map(Location::into_owned),
            meta: self.meta.into_owned(),
            data: self.data.map(Data::into_owned),
            more_data: self.more_data,
        }
    }
}

impl Command<'_> {
    /// The same command with text of its own.
    pub fn into_owned(self) -> Command<'static> {
        match self {
            Self::Action(action) => Command::Action(action.into_owned()),
            Self::Alert(alert) => Command::Alert(alert.into_owned()),
            Self::Group(group) => Command::Group(Group {
                atomic: group.atomic,
                cmd_id: text(group.cmd_id),
                meta: group.meta.into_owned(),
                commands: group.commands.into_iter().map(Command::into_owned).collect(),
            }),
            Self::Status(status) => Command::Status(status.into_owned()),
            Self::Results(results) => Command::Results(results.into_owned()),
            Self::Unknown(unknown) => Command::Unknown(Unknown {
                name: text(unknown.name),
                cmd_id: text(unknown.cmd_id),
                known: unknown.known,
                fault: unknown.fault,
            }),
        }
    }
}

impl Action<'_> {
    /// The same command with text of its own.
    pub fn into_owned(self) -> Action<'static> {
        Action {
            verb: self.verb,
            cmd_id: text(self.cmd_id),
            meta: self.meta.map(|meta| Box::new(meta.into_owned())),
            correlator: optional(self.correlator),
            items: self.items.into_iter().map(Item::into_owned).collect(),
        }
    }
}

impl Alert<'_> {
    /// The same alert with text of its own.
    pub fn into_owned(self) -> Alert<'static> {
        Alert {
            cmd_id: text(self.cmd_id),
            code: self.code,
            correlator: optional(self.correlator),
            items: items(self.items),
        }
    }
}

impl Status<'_> {
    /// The same status with text of its own.
    pub fn into_owned(self) -> Status<'static> {
        Status {
            cmd_id: text(self.cmd_id),
            msg_ref: text(self.msg_ref),
            cmd_ref: text(self.cmd_ref),
            cmd: text(self.cmd),
            target_refs: texts(self.target_refs),
            source_refs: texts(self.source_refs),
            cred: self.cred.map(|cred| Box::new(cred.into_owned())),
            chal: self.chal.map(|chal| Box::new(chal.into_owned())),
            code: self.code,
            items: items(self.items),
        }
    }
}

impl Results<'_> {
    /// The same results with text of their own.
    pub fn into_owned(self) -> Results<'static> {
        Results {
            cmd_id: text(self.cmd_id),
            msg_ref: optional(self.msg_ref),
            cmd_ref: text(self.cmd_ref),
            meta: self.meta.into_owned(),
            target_ref: optional(self.target_ref),
            source_ref: optional(self.source_ref),
            items: items(self.items),
        }
    }
}
