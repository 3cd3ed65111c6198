//! Access control lists: syntax, and who may do what with a node
//! (DM Tree and Description 1.2.1, 7.7.1).

use super::refusal::Refusal;
use crate::limits;
use std::fmt;

/// A right that an ACL grants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    /// To create nodes below the node.
    Add,
    /// To delete the node.
    Delete,
    /// To run the process behind the node.
    Exec,
    /// To read the node's value, children and properties.
    Get,
    /// To change the node's value and properties.
    Replace,
}

impl Right {
    const ALL: [Self; 5] = [Self::Add, Self::Delete, Self::Exec, Self::Get, Self::Replace];

    fn name(self) -> &'static str {
        match self {
            Self::Add => "Add",
            Self::Delete => "Delete",
            Self::Exec => "Exec",
            Self::Get => "Get",
            Self::Replace => "Replace",
        }
    }
}

/// Everybody who is authenticated.
const ANY: &str = "*";

/// The ACL property of one node. Empty means: as the parent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Acl {
    /// `Add=S1+S2&Get=*` with the commands in the order of [`Right`] and no server twice.
    text: String,
}

impl Acl {
    /// The empty ACL.
    pub(super) const fn none() -> Self {
        Self { text: String::new() }
    }

    /// The ACL of what a provisioning document brings: its servers may read, change and delete it.
    pub fn of_owners<'a>(servers: impl IntoIterator<Item = &'a str>) -> Self {
        let mut acl = Self::default();
        for server in servers {
            for right in [Right::Get, Right::Replace, Right::Delete] {
                acl.grant(right, server);
            }
        }
        acl
    }

    /// The root's ACL in a fresh tree: `Add=*&Get=*`.
    pub fn factory() -> Self {
        let mut acl = Self::default();
        acl.grant(Right::Add, ANY);
        acl.grant(Right::Get, ANY);
        acl
    }

    /// Parses `Add=S1&Get=*&Replace=S1+S2`; empty text is the empty ACL.
    ///
    /// Errors: `BadAcl` (400), `Full` (420) for a text above [`limits::ACL_OCTETS`].
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        if text.len() > limits::ACL_OCTETS {
            return Err(Refusal::Full);
        }
        let mut acl = Self::default();
        for entry in text.split('&').filter(|_| !text.is_empty()) {
            let (right, servers) = read_entry(entry).ok_or(Refusal::BadAcl)?;
            // A command without servers grants nothing and is not stored.
            for server in servers.split('+').filter(|_| !servers.is_empty()) {
                if server != ANY && !is_server_id(server) {
                    return Err(Refusal::BadAcl);
                }
                acl.grant(right, server);
            }
        }
        Ok(acl)
    }

    /// Takes what [`fmt::Display`] wrote, of any length.
    pub(super) fn from_record(text: &str) -> Self {
        Self { text: text.to_owned() }
    }

    /// The ACL as [`fmt::Display`] writes it.
    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// True without any right: the parent's ACL holds.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// True if `server` has `right`.
    pub fn allows(&self, right: Right, server: &str) -> bool {
        let mut servers = self.listed(right).as_bytes().split(|octet| *octet == b'+');
        servers.any(|known| known == ANY.as_bytes() || known == server.as_bytes())
            && !server.is_empty()
    }

    /// Servers that have `right`.
    pub fn servers(&self, right: Right) -> impl Iterator<Item = &str> {
        self.listed(right).split('+').filter(|server| !server.is_empty())
    }

    /// The servers that have `right` with `+` between them.
    fn listed(&self, right: Right) -> &str {
        let name = right.name();
        let mut rest = self.text.as_str();
        while !rest.is_empty() {
            let end = rest.bytes().position(|octet| octet == b'&').unwrap_or(rest.len());
            let servers = rest.get(name.len()..end).filter(|_| rest.starts_with(name));
            if let Some(servers) = servers.and_then(|servers| servers.strip_prefix('=')) {
                return servers;
            }
            rest = rest.get(end + 1..).unwrap_or_default();
        }
        ""
    }

    /// Replaces the servers that have `right`; without any it disappears.
    fn set(&mut self, right: Right, servers: &str) {
        let mut text = String::with_capacity(self.text.len() + servers.len() + 10);
        for known in Right::ALL {
            let servers = if known == right { servers } else { self.listed(known) };
            if !servers.is_empty() {
                let separator = if text.is_empty() { "" } else { "&" };
                [separator, known.name(), "=", servers].iter().for_each(|part| text.push_str(part));
            }
        }
        self.text = text;
    }

    /// Gives `server` (or `*`) the right. `*` overrides single servers.
    ///
    /// An identifier that cannot stand in an ACL gets nothing.
    pub fn grant(&mut self, right: Right, server: &str) {
        if server == ANY {
            self.set(right, ANY);
        } else if is_server_id(server) && !self.allows(right, server) {
            let before = self.listed(right);
            let separator = if before.is_empty() { "" } else { "+" };
            let servers = [before, separator, server].concat();
            self.set(right, &servers);
        }
    }

    /// The ACL of an interior node whose creator `server` may not replace its parent: all the
    /// rights over it, and the parent's Get, which would else be lost.
    pub(super) fn for_creator(server: &str, parent: &Self) -> Self {
        let mut acl = Self::default();
        for right in [Right::Add, Right::Delete, Right::Replace] {
            acl.grant(right, server);
        }
        acl.set(Right::Get, parent.listed(Right::Get));
        acl
    }

    /// Takes all rights from `server`. Returns true if it had any.
    pub(super) fn forget(&mut self, server: &str) -> bool {
        let before = self.text.len();
        for right in Right::ALL {
            if self.servers(right).any(|known| known == server) {
                let others: Vec<&str> =
                    self.servers(right).filter(|known| *known != server).collect();
                let others = others.join("+");
                self.set(right, &others);
            }
        }
        self.text.len() != before
    }

    /// Gives the root back the rights it must not be without.
    pub(super) fn restore_root(&mut self) {
        for right in [Right::Add, Right::Get] {
            if self.listed(right).is_empty() {
                self.grant(right, ANY);
            }
        }
    }
}

/// `Get=S1+S2`: the right and its servers.
fn read_entry(entry: &str) -> Option<(Right, &str)> {
    let (name, servers) = entry.split_once('=')?;
    Some((Right::ALL.into_iter().find(|right| right.name() == name)?, servers))
}

/// Printable and without the ACL's own characters.
fn is_server_id(text: &str) -> bool {
    let separator = |c: char| c.is_whitespace() || c.is_control() || "=&*+".contains(c);
    !text.is_empty() && !text.contains(separator)
}

impl fmt::Display for Acl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dm_177_a_star_is_every_server_and_overrides_others() {
        let acl = Acl::parse("Get=S1+*+S2&Replace=S1+S2").unwrap();
        assert!(acl.allows(Right::Get, "anybody"));
        assert!(acl.allows(Right::Replace, "S2"));
        assert!(!acl.allows(Right::Replace, "S3"));
        assert_eq!(acl.to_string(), "Get=*&Replace=S1+S2");
    }

    #[test]
    fn syntax() {
        assert!(Acl::parse("").unwrap().is_empty());
        assert!(Acl::parse("Get=").unwrap().is_empty());
        assert_eq!(Acl::parse("Replace=B&Add=A").unwrap().to_string(), "Add=A&Replace=B");
        for bad in ["Get", "get=*", "Copy=S1", "Get=*&", "&", "Get=S1++S2", "Get=S 1", "Get=a=b"] {
            assert_eq!(Acl::parse(bad), Err(Refusal::BadAcl), "{bad}");
        }
        let long = format!("Get={}", "x".repeat(limits::ACL_OCTETS));
        assert_eq!(Acl::parse(&long), Err(Refusal::Full));
    }

    #[test]
    fn dm_172_the_factory_acl() {
        assert_eq!(Acl::factory().to_string(), "Add=*&Get=*");
    }
}
