//! Writes the first inputs of every target below `fuzz/corpus/`, from the vectors and recorded sessions.
//! Needs nothing but the standard library, and runs in the project's root: see `make fuzz`.

use std::fs;
use std::path::{Path, PathBuf};

const ENCODING: &str = include_str!("../tests/data/encoding-vectors.tsv");
const SMARTCARD: &str = include_str!("../tests/data/smartcard-vectors.tsv");

/// Name and octets of the rows whose name begins with one of `starts`.
fn rows(text: &'static str, column: usize, starts: &[&str]) -> Vec<(&'static str, Vec<u8>)> {
    text.lines()
        .skip(1)
        .map(|line| line.split('\t').collect::<Vec<_>>())
        .filter(|columns| starts.iter().any(|start| columns[0].starts_with(start)))
        .map(|columns| (columns[0], unhex(columns[column])))
        .collect()
}

fn encoding(starts: &[&str]) -> Vec<(&'static str, Vec<u8>)> {
    rows(ENCODING, 1, starts)
}

fn smartcard(starts: &[&str]) -> Vec<(&'static str, Vec<u8>)> {
    rows(SMARTCARD, 2, starts)
}

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().map(|b| (b as char).to_digit(16).unwrap() as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

/// What a modem says behind each command: echo off, error numbers, its ways, and an APDU's answer.
const MODEM: &[u8] = b"\r\nOK\r\n\0\r\nOK\r\n\0\r\nOK\r\n\0\r\nOK\r\n\0\r\n+CSIM: 4,\"9000\"\r\n\r\nOK\r\n\0\
\r\n+CSIM: 24,\"988812010000400310F09000\"\r\n\r\nOK\r\n\0\r\n+CCHO: 1\r\n\r\nOK\r\n\0\r\n+CGLA: 4,\"6A82\"\r\n\r\nOK\r\n";

/// A description as vendors write them.
const DDF: &str = "<?xml version='1.0'?><!DOCTYPE MgmtTree PUBLIC ' -//OMA//DTD-DM-DDF 1.2//EN' 'x.dtd' \
[<?oma-dm-ddf-ver supported-versions='1.2'?>]><MgmtTree xmlns:V='urn:v'><VerDTD>1.2</VerDTD><Man>M</Man><Node>\
<NodeName>A b</NodeName><Path>./Vendor</Path><DFProperties><AccessType><Add/><Get/></AccessType>\
<DefaultValue>1</DefaultValue><Description>d &amp; e</Description><DFFormat><int/></DFFormat><Occurrence><ZeroOrN>7\
</ZeroOrN></Occurrence><Scope><Permanent/></Scope><DFTitle>t</DFTitle><DFType><MIME>text/plain</MIME><DDFName/>\
</DFType><CaseSense><CIS/></CaseSense><V:Allowed>x</V:Allowed></DFProperties><Node><NodeName/><RTProperties><ACL/>\
</RTProperties><Value>v</Value></Node></Node></MgmtTree>";

struct Corpus(PathBuf);

impl Corpus {
    fn new(target: &str) -> Self {
        let folder = Path::new("fuzz/corpus").join(target);
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn put(&self, name: &str, octets: &[u8]) {
        fs::write(self.0.join(format!("seed-{name}")), octets).unwrap();
    }

    fn put_all(&self, rows: &[(&str, Vec<u8>)]) {
        rows.iter().for_each(|(name, octets)| self.put(name, octets));
    }
}

/// Messages of the recorded sessions.
fn messages() -> Vec<(String, Vec<u8>)> {
    let entries = |path: PathBuf| fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
    entries("tests/data/sessions".into())
        .flat_map(entries)
        .map(|path| (path.components().skip(3).collect::<PathBuf>(), fs::read(&path).unwrap()))
        .map(|(name, octets)| (name.to_str().unwrap().replace('/', "-"), octets))
        .filter(|(_, octets)| octets.len() < 8 * 1024)
        .collect()
}

fn documents() {
    for target in ["markup", "syncml", "tnds", "ddf", "prov"] {
        let corpus = Corpus::new(target);
        corpus.put_all(&encoding(&["a", "b", "c", "s", "x"]));
        messages().iter().for_each(|(name, octets)| corpus.put(name, octets));
    }
    Corpus::new("ddf").put("vendor", DDF.as_bytes());
}

/// Pushes behind the keys that their authentication needs, and any others.
fn signed() {
    let corpus = Corpus::new("security");
    let imsi = unhex("081932547698103254");
    let led = |octets: &[u8]| [&[octets.len() as u8], octets].concat();
    for (name, push) in encoding(&["d"]) {
        for typed in ["1234", "3141538562", ""] {
            let keys = [led(&imsi), led(typed.as_bytes())].concat();
            corpus.put(&format!("{name}-{typed}"), &[keys, push.clone()].concat());
        }
    }
}

/// Every vector under every kind that the command knows, as octets and as digits.
fn pasted() {
    const KINDS: u8 = 15;
    let corpus = Corpus::new("cli");
    let all = [encoding(&["a", "b", "d", "e", "f", "h", "x"]), smartcard(&[""])].concat();
    for (at, (name, octets)) in all.iter().enumerate() {
        let digits: String = octets.iter().map(|octet| format!("{octet:02X} ")).collect();
        for kind in 0..KINDS {
            let form = if (at + usize::from(kind)).is_multiple_of(2) { octets.as_slice() } else { digits.as_bytes() };
            corpus.put(&format!("{name}-{kind}"), &[&[kind], form].concat());
        }
    }
}

fn triggers() {
    Corpus::new("push").put_all(&encoding(&["d"]));
    Corpus::new("push").put_all(&smartcard(&["wsp-"]));
    Corpus::new("notification").put_all(&encoding(&["f"]));
    let sms = Corpus::new("sms");
    let led = |octets: &[u8]| [&[octets.len() as u8, 1], octets].concat();
    sms.put_all(&encoding(&["e"]));
    sms.put_all(&smartcard(&["sms-", "udh-"]));
    for parts in [["e03", "e04", "e05"], ["e06", "e08", "e07"]] {
        let run: Vec<u8> = parts.iter().flat_map(|part| led(&encoding(&[part])[0].1)).collect();
        sms.put(parts[0], &run);
    }
}

fn cards() {
    Corpus::new("tlv").put_all(&encoding(&["h"]));
    Corpus::new("tlv").put_all(&smartcard(&["fcp-", "ef", "pc-", "env-", "neg-"]));
    Corpus::new("at").put("modem", MODEM);
    Corpus::new("files").put_all(&smartcard(&["fcp-", "gsm-", "ef"]));
    let proactive = Corpus::new("proactive");
    let mut run = Vec::new();
    for (name, command) in smartcard(&["pc-", "srv-pc-", "trg-pc-", "local-pc-", "neg-"]) {
        let led = [&[command.len() as u8, 8], &command[..]].concat();
        proactive.put(name, &led);
        run.extend(led);
        proactive.put(&format!("up-to-{name}"), &run);
    }
    directories(&Corpus::new("pkcs15"));
}

/// Every directory with every object list.
fn directories(corpus: &Corpus) {
    let led = |octets: &[u8]| [&(octets.len() as u16).to_be_bytes(), octets].concat();
    let object = encoding(&["a57"]).remove(0).1;
    for (dir_name, dir) in smartcard(&["efdir-"]) {
        for (dodf_name, dodf) in smartcard(&["dodf-"]) {
            for (odf_name, odf) in smartcard(&["odf-"]) {
                let files = [led(&dir), led(&odf), led(&dodf), led(&object)].concat();
                corpus.put(&format!("{dir_name}-{odf_name}-{dodf_name}"), &files);
            }
        }
    }
    for (name, answer) in smartcard(&["fcp-", "gsm-"]) {
        let led = [&[answer.len() as u8 + 2], &answer[..], &[0x90, 0x00]].concat();
        corpus.put(name, &led);
    }
}

fn answers() {
    let corpus = Corpus::new("http");
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/vnd.syncml.dm+wbxml\r\n";
    let texts = [
        ("length", format!("\u{40}{head}Content-Length: 5\r\n\r\nhello")),
        ("chunked", format!("\u{5}{head}Transfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nA: b\r\n\r\n")),
        ("until-close", format!("\u{1}{head}Connection: close\r\n\r\nhello")),
        ("none", "\u{7f}HTTP/1.1 204 No Content\r\n\r\n".to_owned()),
        ("moved", "\u{9}HTTP/1.1 307 T\r\nLocation: ../dm?a=b\r\nContent-Length: 0\r\n\r\n".to_owned()),
        ("continue", format!("\u{9}HTTP/1.1 100 Continue\r\n\r\n{head}Content-Length: 0\r\n\r\n")),
        ("unauthorized", "\u{9}HTTP/1.1 401 U\r\nWWW-Authenticate: Basic realm=\"a\"\r\nSet-Cookie: a=b; Path=/\r\n\
          Retry-After: 5\r\nx-syncml-hmac: algorithm=MD5, username=\"u\", mac=x\r\n\r\n".to_owned()),
        ("digest", "\u{9}HTTP/1.1 401 U\r\nWWW-Authenticate: Basic realm=\"a\", Digest realm=\"b\\\"c\", qop=\"auth, auth-int\", \
          algorithm=SHA-256, nonce=\"n\", opaque=\"o\"\r\nWWW-Authenticate: Digest nonce=n, stale=true\r\n\r\n".to_owned()),
    ];
    texts.iter().for_each(|(name, text)| corpus.put(name, text.as_bytes()));
}

/// One command after the other, each alone and all in one session.
fn sessions() {
    let corpus = Corpus::new("session");
    let item = |uri: &str, meta: &str, data: &str| {
        format!("<Item><Target><LocURI>{uri}</LocURI></Target><Meta>{meta}</Meta>{data}</Item>")
    };
    let command = |verb: &str, items: &str| format!("<{verb}><CmdID>2</CmdID>{items}</{verb}>");
    let data = "<Data>value</Data>";
    let alert = |code: u32, items: &str| command("Alert", &format!("<Data>{code}</Data>{items}"));
    let texts = "<Item><Data>MINDT=10&amp;MAXDT=30&amp;DR=x</Data></Item><Item><Data>Text?</Data></Item>\
                 <Item><Data>One</Data></Item><Item><Data>Two</Data></Item>";
    let add = command("Add", &item("./Lab", "<Format xmlns='syncml:metinf'>node</Format>", ""));
    let replace =
        command("Replace", &item("./Lab/A", "<Format>chr</Format><Type>text/plain</Type>", data));
    let chunk =
        command("Add", &item("./Lab/B", "<Size>10</Size>", "<Data>value</Data><MoreData/>"));
    let get = command("Get", &item("./DevInfo?list=StructData", "", ""));
    let copy = "<Copy><CmdID>5</CmdID><Item><Source><LocURI>./Lab/A</LocURI></Source>\
                <Target><LocURI>./Lab/C</LocURI></Target></Item></Copy>";
    let commands = [
        ("add", add.clone()),
        ("replace", replace.clone()),
        ("get", get.clone()),
        (
            "acl",
            command("Replace", &item("./Lab?prop=ACL", "", "<Data>Get=*&amp;Replace=S1</Data>")),
        ),
        ("delete", command("Delete", &item("./Lab/A", "", ""))),
        ("copy", copy.to_owned()),
        ("exec", command("Exec", &item("./Lab/A", "", data))),
        ("chunk", chunk.clone()),
        ("rest", command("Add", &item("./Lab/B", "", data))),
        ("atomic", format!("<Atomic><CmdID>9</CmdID>{add}{replace}{chunk}</Atomic>")),
        (
            "sequence",
            format!("<Sequence><CmdID>9</CmdID>{get}{copy}{}</Sequence>", alert(1101, texts)),
        ),
        ("display", alert(1100, texts)),
        ("confirm", alert(1101, texts)),
        ("input", alert(1102, texts)),
        ("choice", alert(1103, texts)),
        ("choices", alert(1104, texts)),
        ("next", alert(1222, "")),
        ("abort", alert(1223, "")),
    ];
    let led = |form: u8, octets: &[u8]| {
        let [high, low] = (octets.len() as u16).to_be_bytes();
        [&[high, low, form], octets].concat()
    };
    for (at, (name, text)) in commands.iter().enumerate() {
        corpus.put(name, &[&[at as u8], &led(2, text.as_bytes())[..]].concat());
    }
    let all: Vec<u8> = commands.iter().flat_map(|(_, text)| led(2, text.as_bytes())).collect();
    for first in [0, 1] {
        corpus.put(&format!("all-{first}"), &[&[first], &all[..]].concat());
    }
    for (name, octets) in messages() {
        corpus.put(&name, &[&[1], &led(0, &octets)[..]].concat());
    }
}

fn main() {
    documents();
    triggers();
    signed();
    pasted();
    cards();
    answers();
    sessions();
}
