//! Documents that both encodings can hold, from a fixed seed: messages, provisioning documents and
//! TNDS objects.

use dmsc::markup::{Attr, DocType, Encoding, Writer, prov};
use dmsc::syncml;
use dmsc::syncml::model::{
    Action, Alert, Command, Cred, Data, Group, Header, Item, Location, Message, Meta, MetaExtra,
    Results, Status, Verb,
};
use dmsc::tree::tnds::{self, TndsNode};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};
use std::borrow::Cow;

/// One document in both encodings, as we write them.
#[derive(Debug)]
pub(crate) struct Generated {
    pub(crate) doc: DocType,
    pub(crate) wbxml: Vec<u8>,
    pub(crate) xml: Vec<u8>,
}

/// Always the same documents, without end.
pub(crate) fn documents() -> impl Iterator<Item = Generated> {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let mut runner = TestRunner::new_with_rng(ProptestConfig::default(), rng);
    let document = any_document();
    std::iter::repeat_with(move || document.new_tree(&mut runner).unwrap().current())
}

fn any_document() -> BoxedStrategy<Generated> {
    let message = any_message().prop_map(|message| {
        let write = |encoding| syncml::write(&message, encoding).unwrap();
        both(DocType::SyncMl, write)
    });
    let provisioning = any_provisioning().prop_map(|root| {
        let write = |encoding| root.document(encoding);
        both(DocType::Prov, write)
    });
    let object = prop::collection::vec(any_node(), 1..4).prop_map(|nodes| {
        let document = tnds::Document { ver_dtd: "1.2".into(), nodes, ..Default::default() };
        let write = |encoding| tnds::write(&document, encoding == Encoding::Wbxml).unwrap();
        both(DocType::Tnds, write)
    });
    prop_oneof![3 => message, 2 => provisioning, 1 => object].boxed()
}

fn both(doc: DocType, write: impl Fn(Encoding) -> Vec<u8>) -> Generated {
    Generated { doc, wbxml: write(Encoding::Wbxml), xml: write(Encoding::Xml) }
}

type Text = Cow<'static, str>;

const FORMATS: [&str; 10] =
    ["node", "chr", "bin", "b64", "int", "bool", "xml", "null", "date", "float"];

const TYPES: [&str; 4] =
    ["text/plain", "syncml:auth-md5", "application/octet-stream", "org.example/1.0"];

fn any_text() -> BoxedStrategy<Text> {
    prop_oneof![
        "[ -~\n\té<&>żó漢字😀]{0,24}",
        r"\./[A-Za-z]{1,8}(/[A-Za-z0-9%]{1,12}){0,4}",
        "[0-9]{1,6}"
    ]
    .prop_map(Cow::Owned)
    .boxed()
}

fn maybe_text() -> BoxedStrategy<Option<Text>> {
    prop::option::of(any_text()).boxed()
}

fn any_meta() -> BoxedStrategy<Meta<'static>> {
    let format = prop::option::of(select(&FORMATS[..]));
    let mime = prop::option::of(select(&TYPES[..]));
    let sizes = prop::option::of(any::<u32>());
    (format, mime, sizes.clone(), maybe_text(), maybe_text(), sizes.clone(), sizes)
        .prop_map(|(format, mime, size, mark, next_nonce, max_msg_size, max_obj_size)| {
            let extra = MetaExtra { mark, next_nonce, max_msg_size, max_obj_size };
            Meta {
                format: format.map(Into::into),
                mime: mime.map(Into::into),
                size: size.map(u64::from),
                extra: (extra != MetaExtra::default()).then(|| Box::new(extra)),
            }
        })
        .boxed()
}

fn any_location() -> BoxedStrategy<Location<'static>> {
    (any_text(), maybe_text())
        .prop_map(|(uri, name)| Location { uri, name: name.map(Box::new) })
        .boxed()
}

fn any_cred() -> BoxedStrategy<Cred<'static>> {
    (any_meta(), any_text()).prop_map(|(meta, data)| Cred { meta, data }).boxed()
}

/// Text, as STR_I or as OPAQUE.
fn any_data() -> BoxedStrategy<Data<'static>> {
    (any_text(), any::<bool>())
        .prop_map(|(text, opaque)| match opaque {
            true => Data::opaque(text.into_owned().into_bytes()),
            false => Data::text(text),
        })
        .boxed()
}

fn any_items() -> BoxedStrategy<Vec<Item<'static>>> {
    let location = || prop::option::of(any_location());
    let item = (location(), location(), any_meta(), prop::option::of(any_data()), any::<bool>())
        .prop_map(|(target, source, meta, data, more_data)| Item {
            target,
            source,
            meta,
            data,
            more_data,
        });
    prop::collection::vec(item, 0..3).boxed()
}

fn any_action() -> BoxedStrategy<Command<'static>> {
    let verbs = vec![Verb::Add, Verb::Replace, Verb::Get, Verb::Delete, Verb::Copy, Verb::Exec];
    (select(verbs), any_text(), any_meta(), maybe_text(), any_items())
        .prop_map(|(verb, cmd_id, meta, correlator, items)| {
            let meta = (!meta.is_empty()).then(|| Box::new(meta));
            Command::Action(Action { verb, cmd_id, meta, correlator, items: items.into() })
        })
        .boxed()
}

fn any_alert() -> BoxedStrategy<Command<'static>> {
    (any_text(), prop::option::of(any::<u16>()), maybe_text(), any_items())
        .prop_map(|(cmd_id, code, correlator, items)| {
            Command::Alert(Alert { cmd_id, code, correlator, items })
        })
        .boxed()
}

fn any_status() -> BoxedStrategy<Command<'static>> {
    let ids = prop::array::uniform4(any_text());
    let refs = prop::array::uniform2(prop::collection::vec(any_text(), 0..3));
    let security = (prop::option::of(any_cred()), prop::option::of(any_meta()));
    (ids, refs, security, any::<u16>(), any_items())
        .prop_map(|(ids, [target_refs, source_refs], (cred, chal), code, items)| {
            let [cmd_id, msg_ref, cmd_ref, cmd] = ids;
            Command::Status(Status {
                cmd_id,
                msg_ref,
                cmd_ref,
                cmd,
                target_refs: target_refs.into(),
                source_refs: source_refs.into(),
                cred: cred.map(Box::new),
                chal: chal.map(Box::new),
                code,
                items,
            })
        })
        .boxed()
}

fn any_results() -> BoxedStrategy<Command<'static>> {
    let ids = prop::array::uniform2(any_text());
    (ids, prop::array::uniform3(maybe_text()), any_meta(), any_items())
        .prop_map(|([cmd_id, cmd_ref], [msg_ref, target_ref, source_ref], meta, items)| {
            let results = Results { cmd_id, msg_ref, cmd_ref, meta, target_ref, source_ref, items };
            Command::Results(results)
        })
        .boxed()
}

fn any_command() -> BoxedStrategy<Command<'static>> {
    let leaf = prop_oneof![any_action(), any_alert(), any_status(), any_results()];
    leaf.prop_recursive(2, 6, 3, |inner| {
        let commands = prop::collection::vec(inner, 0..3);
        (any::<bool>(), any_text(), any_meta(), commands).prop_map(
            |(atomic, cmd_id, meta, commands)| {
                Command::Group(Group { atomic, cmd_id, meta, commands })
            },
        )
    })
    .boxed()
}

fn any_message() -> BoxedStrategy<Message<'static>> {
    let texts = prop::array::uniform2(any_text());
    let places = prop::array::uniform2(any_location());
    let header = (texts, places, maybe_text(), prop::option::of(any_cred()), any_meta()).prop_map(
        |([session_id, msg_id], [target, source], resp_uri, cred, meta)| Header {
            ver_dtd: "1.2".into(),
            ver_proto: "DM/1.2".into(),
            session_id,
            msg_id,
            target,
            source,
            resp_uri,
            cred,
            meta,
        },
    );
    (header, prop::collection::vec(any_command(), 0..4), any::<bool>())
        .prop_map(|(header, commands, is_final)| Message { header, commands, is_final })
        .boxed()
}

/// `characteristic`, or the root if it has no type.
#[derive(Clone, Debug)]
struct Characteristic {
    kind: String,
    parms: Vec<(String, Option<String>)>,
    inner: Vec<Characteristic>,
}

impl Characteristic {
    fn document(&self, encoding: Encoding) -> Vec<u8> {
        let mut writer = Writer::new(DocType::Prov, encoding);
        writer.start(prov::WAP_PROVISIONINGDOC);
        if !self.kind.is_empty() {
            writer.attribute(Attr::Version, &self.kind);
        }
        self.content(&mut writer);
        writer.end();
        writer.finish().unwrap()
    }

    fn content(&self, writer: &mut Writer) {
        for (name, value) in &self.parms {
            writer.start(prov::PARM);
            writer.attribute(Attr::Name, name);
            if let Some(value) = value {
                writer.attribute(Attr::Value, value);
            }
            writer.end();
        }
        for inner in &self.inner {
            writer.start(prov::CHARACTERISTIC);
            writer.attribute(Attr::Type, &inner.kind);
            inner.content(writer);
            writer.end();
        }
    }
}

const KINDS: [&str; 19] = [
    "PXLOGICAL",
    "PXPHYSICAL",
    "PORT",
    "VALIDITY",
    "NAPDEF",
    "BOOTSTRAP",
    "VENDORCONFIG",
    "CLIENTIDENTITY",
    "PXAUTHINFO",
    "NAPAUTHINFO",
    "ACCESS",
    "APPLICATION",
    "APPADDR",
    "APPAUTH",
    "RESOURCE",
    "X-VENDOR",
    "port",
    "APPLICATION2",
    "é",
];

const NAMES: [&str; 38] = [
    "NAME",
    "NAP-ADDRESS",
    "NAP-ADDRTYPE",
    "AUTHTYPE",
    "AUTHNAME",
    "AUTHSECRET",
    "BEARER",
    "NAPID",
    "INTERNET",
    "PROXY-ID",
    "DOMAIN",
    "STARTPAGE",
    "PXADDR",
    "PXADDRTYPE",
    "TO-NAPID",
    "PORTNBR",
    "SERVICE",
    "LINKSPEED",
    "TRUST",
    "CLIENT-ID",
    "DNS-ADDR",
    "T-BIT",
    "SPI",
    "AACCEPT",
    "AAUTHDATA",
    "AAUTHLEVEL",
    "AAUTHNAME",
    "AAUTHSECRET",
    "AAUTHTYPE",
    "ADDR",
    "ADDRTYPE",
    "APPID",
    "APROTOCOL",
    "PROVIDER-ID",
    "TO-PROXY",
    "URI",
    "RULE",
    "X-FOO",
];

const VALUES: [&str; 24] = [
    "IPV4",
    "IPV6",
    "E164",
    "ALPHA",
    "APN",
    "GSM-GPRS",
    "GSM-CSD",
    "PAP",
    "CHAP",
    "MD5",
    "HTTP-BASIC",
    "HTTP-DIGEST",
    "CL-WSP",
    "CO-WSP",
    "OTA-HTTP-TO",
    "AUTOBAUDING",
    "CDMA2000-1X-MOBILE-IP",
    "AAA",
    "HA",
    "APPSRV",
    "CLIENT",
    "OBEX",
    "w7",
    "HTTP-",
];

/// Without TAB and LF, which libwbxml writes raw into an attribute, where XML reads them as spaces.
fn any_value() -> BoxedStrategy<String> {
    let known = select(&VALUES[..]).prop_map(str::to_owned);
    prop_oneof![
        known,
        any_text().prop_map(|text| text.replace(['\t', '\n'], "")),
        "https://[a-z]{1,9}\\.example/[a-z?=&]{0,9}"
    ]
    .boxed()
}

fn any_parms() -> BoxedStrategy<Vec<(String, Option<String>)>> {
    let name = select(&NAMES[..]).prop_map(str::to_owned);
    prop::collection::vec((name, prop::option::weighted(0.9, any_value())), 0..6).boxed()
}

fn any_provisioning() -> BoxedStrategy<Characteristic> {
    let kind = || select(&KINDS[..]).prop_map(str::to_owned);
    let leaf = (kind(), any_parms()).prop_map(|(kind, parms)| Characteristic {
        kind,
        parms,
        inner: Vec::new(),
    });
    let tree = leaf.prop_recursive(3, 12, 4, move |inner| {
        (kind(), any_parms(), prop::collection::vec(inner, 0..4))
            .prop_map(|(kind, parms, inner)| Characteristic { kind, parms, inner })
    });
    let version = select(&["", "1.0", "1.1"][..]);
    (version, prop::collection::vec(tree, 0..5))
        .prop_map(|(version, inner)| Characteristic {
            kind: version.to_owned(),
            parms: Vec::new(),
            inner,
        })
        .boxed()
}

fn any_node() -> BoxedStrategy<TndsNode<'static>> {
    let format = prop::option::of(select(&FORMATS[..]));
    let texts = prop::array::uniform8(maybe_text());
    let leaf = (texts, format, maybe_text()).prop_map(|(texts, format, value)| {
        let [name, path, acl, mime, ddf_name, title, tstamp, ver_no] = texts;
        let format = format.map(Into::into);
        // Octets stand as OPAQUE in WBXML and as base64 in XML: not the same document.
        let value = value.filter(|_| format != Some(Cow::Borrowed("bin")));
        let value = value.map(|text| Cow::Owned(text.into_owned().into_bytes()));
        let children = Vec::new();
        TndsNode { name, path, acl, format, mime, ddf_name, title, tstamp, ver_no, value, children }
    });
    leaf.prop_recursive(4, 16, 4, |inner| {
        (inner.clone(), prop::collection::vec(inner, 1..4)).prop_map(|(node, children)| TndsNode {
            value: None,
            children,
            ..node
        })
    })
    .boxed()
}
