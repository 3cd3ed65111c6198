//! The SyncML DM 1.2 message as Rust types (SyncML Representation Protocol 1.2, DM RepPro 1.2.1).
//!
//! One model for both encodings. Text borrows from the message where it can; `into_owned` frees it.

pub use super::few::Few;
use crate::markup::{Fault, into_octets};
use crate::syncml::status::{AlertCode, Status as StatusCode};
use std::borrow::Cow;
use std::fmt;

/// Text of a message.
pub type Text<'a> = Cow<'a, str>;

/// Items of a command.
pub type Items<'a> = Few<Item<'a>>;

/// One message: a header and commands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message<'a> {
    pub header: Header<'a>,
    pub commands: Vec<Command<'a>>,
    /// The message is the last of its package.
    pub is_final: bool,
}

/// SyncHdr.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header<'a> {
    pub ver_dtd: Text<'a>,
    pub ver_proto: Text<'a>,
    pub session_id: Text<'a>,
    pub msg_id: Text<'a>,
    pub target: Location<'a>,
    pub source: Location<'a>,
    pub resp_uri: Option<Text<'a>>,
    pub cred: Option<Cred<'a>>,
    pub meta: Meta<'a>,
}

/// Target or Source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Location<'a> {
    pub uri: Text<'a>,
    /// Rare, so it stands apart.
    pub name: Option<Box<Text<'a>>>,
}

/// MetInf of a header, command or item; absent fields are `None`.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Meta<'a> {
    pub format: Option<Text<'a>>,
    pub mime: Option<Text<'a>>,
    pub size: Option<u64>,
    /// What items have no use for.
    pub extra: Option<Box<MetaExtra<'a>>>,
}

/// The part of MetInf that headers, challenges and generic alerts have.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct MetaExtra<'a> {
    pub mark: Option<Text<'a>>,
    pub next_nonce: Option<Text<'a>>,
    pub max_msg_size: Option<u32>,
    pub max_obj_size: Option<u32>,
}

/// Credentials: `meta.mime` names the scheme.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Cred<'a> {
    pub meta: Meta<'a>,
    pub data: Text<'a>,
}

/// A command of SyncBody, Atomic or Sequence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command<'a> {
    Action(Action<'a>),
    Alert(Alert<'a>),
    Group(Group<'a>),
    Status(Status<'a>),
    Results(Results<'a>),
    /// An element that is no DM command, or a command whose content is broken; it was skipped.
    Unknown(Unknown<'a>),
}

/// Commands on nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    Add,
    Replace,
    Get,
    Delete,
    Copy,
    Exec,
}

/// A command on nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action<'a> {
    pub verb: Verb,
    /// Empty if the command had none.
    pub cmd_id: Text<'a>,
    /// Most commands leave it to their items: see [`Action::meta`].
    pub meta: Option<Box<Meta<'a>>>,
    pub correlator: Option<Text<'a>>,
    pub items: Items<'a>,
}

/// An alert; `code` is `None` when Data is missing or no number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Alert<'a> {
    pub cmd_id: Text<'a>,
    pub code: Option<AlertCode>,
    pub correlator: Option<Text<'a>>,
    pub items: Vec<Item<'a>>,
}

/// Commands that belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group<'a> {
    pub atomic: bool,
    pub cmd_id: Text<'a>,
    pub meta: Meta<'a>,
    pub commands: Vec<Command<'a>>,
}

/// An element that is no DM command (Put, Search, or unknown), or a command whose content is broken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unknown<'a> {
    pub name: Text<'a>,
    pub cmd_id: Text<'a>,
    /// The name is one of SyncML's that DM does not use.
    pub known: bool,
    /// What is broken in the content.
    pub fault: Option<Fault>,
}

/// Status.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status<'a> {
    pub cmd_id: Text<'a>,
    pub msg_ref: Text<'a>,
    pub cmd_ref: Text<'a>,
    pub cmd: Text<'a>,
    pub target_refs: Few<Text<'a>>,
    pub source_refs: Few<Text<'a>>,
    pub cred: Option<Box<Cred<'a>>>,
    pub chal: Option<Box<Meta<'a>>>,
    pub code: StatusCode,
    pub items: Vec<Item<'a>>,
}

/// Results of a Get.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Results<'a> {
    pub cmd_id: Text<'a>,
    pub msg_ref: Option<Text<'a>>,
    pub cmd_ref: Text<'a>,
    pub meta: Meta<'a>,
    pub target_ref: Option<Text<'a>>,
    pub source_ref: Option<Text<'a>>,
    pub items: Vec<Item<'a>>,
}

/// Item.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Item<'a> {
    pub target: Option<Location<'a>>,
    pub source: Option<Location<'a>>,
    pub meta: Meta<'a>,
    pub data: Option<Data<'a>>,
    pub more_data: bool,
}

/// How the octets of Data stand in the message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DataForm {
    /// Text: STR_I in WBXML, escaped in XML. OPAQUE that can be text is read as text.
    #[default]
    Text,
    /// OPAQUE in WBXML. In XML the writer of the model has to use base64 text instead.
    Opaque,
    /// Child elements (inline TNDS); read only: `octets` is the same document on its own.
    Embedded,
}

/// Data of an item.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Data<'a> {
    pub form: DataForm,
    pub octets: Cow<'a, [u8]>,
}

impl<'a> Data<'a> {
    /// Text data.
    pub fn text(text: impl Into<Text<'a>>) -> Self {
        Self { form: DataForm::Text, octets: into_octets(text.into()) }
    }

    /// Binary data.
    pub fn opaque(octets: impl Into<Cow<'a, [u8]>>) -> Self {
        Self { form: DataForm::Opaque, octets: octets.into() }
    }

    /// The octets as text, if they are UTF-8.
    pub fn as_str(&self) -> Option<&str> {
        std::str::from_utf8(&self.octets).ok()
    }
}

impl<'a> Meta<'a> {
    /// True without any member.
    pub fn is_empty(&self) -> bool {
        self.format.is_none() && self.mime.is_none() && self.size.is_none() && self.extra.is_none()
    }

    /// The part that items have no use for, made if it is missing.
    pub fn extra_mut(&mut self) -> &mut MetaExtra<'a> {
        self.extra.get_or_insert_default()
    }

    /// Mark.
    pub fn mark(&self) -> Option<&str> {
        self.extra.as_ref()?.mark.as_deref()
    }

    /// NextNonce, in base64.
    pub fn next_nonce(&self) -> Option<&str> {
        self.extra.as_ref()?.next_nonce.as_deref()
    }

    /// MaxMsgSize in octets.
    pub fn max_msg_size(&self) -> Option<u32> {
        self.extra.as_ref()?.max_msg_size
    }

    /// MaxObjSize in octets.
    pub fn max_obj_size(&self) -> Option<u32> {
        self.extra.as_ref()?.max_obj_size
    }
}

impl<'a> Action<'a> {
    /// Meta of the command, which counts for items that have none; empty if it had none.
    pub fn meta(&self) -> &Meta<'a> {
        const NONE: &Meta<'static> = &Meta { format: None, mime: None, size: None, extra: None };
        self.meta.as_deref().unwrap_or(NONE)
    }
}

impl Verb {
    /// The element's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Add => "Add",
            Self::Replace => "Replace",
            Self::Get => "Get",
            Self::Delete => "Delete",
            Self::Copy => "Copy",
            Self::Exec => "Exec",
        }
    }
}

// Nonces, credentials and values of nodes are secrets: Debug tells their length only.

impl fmt::Debug for Meta<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Meta")
            .field("format", &self.format)
            .field("mime", &self.mime)
            .field("size", &self.size)
            .field("extra", &self.extra)
            .finish()
    }
}

impl fmt::Debug for MetaExtra<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MetaExtra")
            .field("mark", &self.mark)
            .field("next_nonce", &self.next_nonce.as_ref().map(|nonce| nonce.len()))
            .field("max_msg_size", &self.max_msg_size)
            .field("max_obj_size", &self.max_obj_size)
            .finish()
    }
}

impl fmt::Debug for Cred<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cred({:?}, {} octets)", self.meta, self.data.len())
    }
}

impl fmt::Debug for Data<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Data({:?}, {} octets)", self.form, self.octets.len())
    }
}
