//! The tree below ./Lab as a plain map that knows the rules on its own.

use std::collections::BTreeMap;

pub(super) const ADD: u8 = 1;
pub(super) const DELETE: u8 = 2;
pub(super) const GET: u8 = 4;
pub(super) const REPLACE: u8 = 8;
pub(super) const ALL: u8 = ADD | DELETE | GET | REPLACE;

/// A node: a leaf has a value. Without rights of its own it has those of its parent.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Plain {
    pub(super) value: Option<String>,
    pub(super) rights: Option<u8>,
}

/// What the server may find below `./Lab`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Model(pub(super) BTreeMap<String, Plain>);

/// What comes of an item, and if its Status names another node as the reason: then it stands alone.
#[derive(Clone, Copy)]
pub(super) struct Outcome {
    pub(super) code: u16,
    pub(super) names_another: bool,
}

impl From<u16> for Outcome {
    fn from(code: u16) -> Self {
        Self { code, names_another: false }
    }
}

pub(super) fn parent(uri: &str) -> &str {
    uri.rsplit_once('/').unwrap().0
}

pub(super) fn is_below(uri: &str, top: &str) -> bool {
    uri.strip_prefix(top).is_some_and(|rest| rest.starts_with('/'))
}

impl Model {
    pub(super) fn new() -> Self {
        let interior = |rights| Plain { value: None, rights };
        let leaf = Plain { value: Some("kept".into()), rights: None };
        Self(BTreeMap::from([
            ("./Lab".to_owned(), interior(Some(ALL))),
            ("./Lab/fixed".to_owned(), interior(Some(ADD | GET))),
            ("./Lab/fixed/a".to_owned(), leaf.clone()),
            ("./Lab/hidden".to_owned(), interior(Some(ADD))),
            ("./Lab/hidden/a".to_owned(), leaf),
        ]))
    }

    pub(super) fn rights(&self, uri: &str) -> u8 {
        match self.0.get(uri) {
            Some(Plain { rights: Some(rights), .. }) => *rights,
            _ => self.rights(parent(uri)),
        }
    }

    pub(super) fn may(&self, uri: &str, right: u8) -> bool {
        self.rights(uri) & right != 0
    }

    fn create(&mut self, uri: &str, value: Option<&str>) -> u16 {
        if !self.may(parent(uri), ADD) {
            return 425;
        }
        // Who may not replace the parent gets the node for itself.
        let own = value.is_none() && !self.may(parent(uri), REPLACE);
        let above = self.rights(parent(uri)) & GET;
        let rights = own.then_some(ADD | DELETE | REPLACE | above);
        self.0.insert(uri.to_owned(), Plain { value: value.map(str::to_owned), rights });
        200
    }

    pub(super) fn add(&mut self, uri: &str, value: Option<&str>) -> Outcome {
        if self.0.contains_key(uri) {
            return 418.into();
        }
        let mut missing = Vec::new();
        let mut above = parent(uri);
        loop {
            match self.0.get(above) {
                Some(Plain { value: None, .. }) => break,
                Some(_) => return 405.into(),
                None => missing.push(above.to_owned()),
            }
            above = parent(above);
        }
        let before = self.clone();
        for ancestor in missing.iter().rev() {
            let code = self.create(ancestor, None);
            if code != 200 {
                *self = before;
                return Outcome { code, names_another: true };
            }
        }
        self.create(uri, value).into()
    }

    pub(super) fn replace(&mut self, uri: &str, value: &str) -> u16 {
        let may = self.0.contains_key(uri) && self.may(uri, REPLACE);
        match self.0.get_mut(uri) {
            None => 404,
            Some(Plain { value: None, .. }) => 405,
            Some(_) if !may => 425,
            Some(node) => {
                node.value = Some(value.to_owned());
                200
            }
        }
    }

    pub(super) fn delete(&mut self, uri: &str) -> Outcome {
        if !self.0.contains_key(uri) {
            return 404.into();
        }
        let forbids = |(at, node): (&String, &Plain)| {
            is_below(at, uri) && node.rights.is_some_and(|rights| rights & DELETE == 0)
        };
        if !self.may(uri, DELETE) {
            return 425.into();
        }
        if self.0.iter().any(forbids) {
            return Outcome { code: 425, names_another: true };
        }
        self.0.retain(|at, _| at != uri && !is_below(at, uri));
        200.into()
    }

    pub(super) fn copy(&mut self, from: &str, to: &str) -> u16 {
        let value = match self.0.get(from) {
            None => return 404,
            Some(Plain { value: None, .. }) => return 405,
            Some(_) if !self.may(from, GET) => return 425,
            Some(Plain { value, .. }) => value.clone().unwrap(),
        };
        if self.0.contains_key(to) {
            return self.replace(to, &value);
        }
        match self.0.get(parent(to)) {
            None => 404,
            Some(Plain { value: Some(_), .. }) => 405,
            Some(_) => self.create(to, Some(&value)),
        }
    }

    pub(super) fn get(&self, uri: &str) -> Result<String, u16> {
        match self.0.get(uri) {
            None => Err(404),
            Some(_) if !self.may(uri, GET) => Err(425),
            Some(Plain { value: Some(value), .. }) => Ok(value.clone()),
            Some(_) => {
                let children = self.0.keys().filter(|at| parent(at) == uri);
                let names: Vec<_> = children.map(|at| &at[uri.len() + 1..]).collect();
                Ok(names.join("/"))
            }
        }
    }
}
