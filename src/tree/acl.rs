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
    const ALL: [(Self, &'static str); 5] = [
        (Self::Add, "Add"),
        (Self::Delete, "Delete"),
        (Self::Exec, "Exec"),
        (Self::Get, "Get"),
        (Self::Replace, "Replace"),
    ];
}

/// Everybody who is authenticated.
const ANY: &str = "*";

/// The ACL property of one node. Empty means: as the parent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Acl {
    /// Server identifiers by right, in the order of [`Right`].
    servers: [Vec<String>; 5],
}

impl Acl {
    /// The empty ACL.
    pub(super) const fn none() -> Self {
        Self { servers: [const { Vec::new() }; 5] }
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
        Self::from_record(text)
    }

    /// Parses what [`fmt::Display`] wrote, of any length.
    pub(super) fn from_record(text: &str) -> Result<Self, Refusal> {
        let mut acl = Self::default();
        if text.is_empty() {
            return Ok(acl);
        }
        for entry in text.split('&') {
            let (command, servers) = entry.split_once('=').ok_or(Refusal::BadAcl)?;
            let known = Right::ALL.into_iter().find(|(_, name)| *name == command);
            let (right, _) = known.ok_or(Refusal::BadAcl)?;
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

    /// True without any right: the parent's ACL holds.
    pub fn is_empty(&self) -> bool {
        self.servers.iter().all(Vec::is_empty)
    }

    /// True if `server` has `right`.
    pub fn allows(&self, right: Right, server: &str) -> bool {
        self.servers(right).iter().any(|known| known == ANY || known == server)
    }

    /// Servers that have `right`.
    pub fn servers(&self, right: Right) -> &[String] {
        let [add, delete, exec, get, replace] = &self.servers;
        match right {
            Right::Add => add,
            Right::Delete => delete,
            Right::Exec => exec,
            Right::Get => get,
            Right::Replace => replace,
        }
    }

    fn servers_mut(&mut self, right: Right) -> &mut Vec<String> {
        let [add, delete, exec, get, replace] = &mut self.servers;
        match right {
            Right::Add => add,
            Right::Delete => delete,
            Right::Exec => exec,
            Right::Get => get,
            Right::Replace => replace,
        }
    }

    /// Gives `server` (or `*`) the right. `*` overrides single servers.
    ///
    /// An identifier that cannot stand in an ACL gets nothing.
    pub fn grant(&mut self, right: Right, server: &str) {
        if server != ANY && !is_server_id(server) {
            return;
        }
        let servers = self.servers_mut(right);
        if server == ANY {
            servers.clear();
        }
        if !servers.iter().any(|known| known == ANY || known == server) {
            servers.push(server.to_owned());
        }
    }

    /// The ACL of an interior node whose creator `server` may not replace its parent: all the
    /// rights over it, and the parent's Get, which would else be lost.
    pub(super) fn for_creator(server: &str, parent: &Self) -> Self {
        let mut acl = Self::default();
        for right in [Right::Add, Right::Delete, Right::Replace] {
            acl.grant(right, server);
        }
        for reader in parent.servers(Right::Get) {
            acl.grant(Right::Get, reader);
        }
        acl
    }

    /// Takes all rights from `server`. Returns true if it had any.
    pub(super) fn forget(&mut self, server: &str) -> bool {
        let mut changed = false;
        for servers in &mut self.servers {
            let before = servers.len();
            servers.retain(|known| known != server);
            changed |= servers.len() != before;
        }
        changed
    }

    /// Gives the root back the rights it must not be without.
    pub(super) fn restore_root(&mut self) {
        for right in [Right::Add, Right::Get] {
            if self.servers(right).is_empty() {
                self.grant(right, ANY);
            }
        }
    }
}

/// Printable and without the ACL's own characters.
fn is_server_id(text: &str) -> bool {
    let separator = |c: char| c.is_whitespace() || c.is_control() || "=&*+".contains(c);
    !text.is_empty() && !text.contains(separator)
}

impl fmt::Display for Acl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for (right, name) in Right::ALL {
            let servers = self.servers(right);
            if !servers.is_empty() {
                write!(f, "{separator}{name}={}", servers.join("+"))?;
                separator = "&";
            }
        }
        Ok(())
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
