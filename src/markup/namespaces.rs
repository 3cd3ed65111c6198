//! The namespace declarations in force in a text XML document.
//!
//! Owns prefixes and their scope; must not know elements.

use super::doctype::PublicId;

/// Declarations that may be in force at once.
const MOST: usize = 64;

/// What an element's prefix or default declaration says.
#[derive(Clone, Copy)]
pub(super) enum Declared {
    Nothing,
    Known(&'static PublicId),
    Foreign,
}

struct Binding<'a> {
    /// How many elements are open inside the declaring one, itself counted.
    depth: usize,
    prefix: &'a str,
    declared: Declared,
}

/// The declarations in force, the innermost last.
#[derive(Default)]
pub(super) struct Namespaces<'a> {
    bindings: Vec<Binding<'a>>,
    /// The last attribute list that was a default declaration and nothing else, and what it declares:
    /// children of Meta repeat it again and again.
    last: Option<(&'a str, Declared)>,
}

impl<'a> Namespaces<'a> {
    /// What is declared for `prefix`; empty for names without one.
    #[inline]
    pub(super) fn get(&self, prefix: &str) -> Declared {
        let found = self.bindings.iter().rev().find(|binding| binding.prefix == prefix);
        match found {
            Some(binding) => binding.declared,
            // Bound by the standard.
            None if prefix == "xml" => Declared::Foreign,
            None => Declared::Nothing,
        }
    }

    /// Declares `prefix` in the element with `depth` elements open; false if there are too many.
    pub(super) fn declare(&mut self, depth: usize, prefix: &'a str, namespace: &str) -> bool {
        let declared = match PublicId::by_namespace(namespace) {
            _ if namespace.is_empty() => Declared::Nothing,
            Some(id) => Declared::Known(id),
            None => Declared::Foreign,
        };
        self.bindings.push(Binding { depth, prefix, declared });
        self.bindings.len() <= MOST
    }

    /// Notes the attribute list whose declarations were taken last.
    pub(super) fn note(&mut self, attributes: &'a str) {
        let value = attributes.strip_prefix(" xmlns=\"").and_then(|rest| rest.strip_suffix('"'));
        if value.is_some_and(|value| !value.contains('"')) {
            self.last = self.bindings.last().map(|binding| (attributes, binding.declared));
        }
    }

    /// Declares the same as the attribute list that was noted last, if `attributes` is equal to it.
    #[inline]
    pub(super) fn repeat(&mut self, attributes: &str, depth: usize) -> bool {
        match self.last {
            Some((last, declared)) if last == attributes => {
                self.bindings.push(Binding { depth, prefix: "", declared });
                self.bindings.len() <= MOST
            }
            _ => false,
        }
    }

    /// True if `attributes` is a default declaration and nothing else, and its declaration was taken.
    #[inline]
    pub(super) fn is_declaration(&self, attributes: &str) -> bool {
        self.last.is_some_and(|(last, _)| last == attributes)
    }

    /// True if the element that has `depth` elements open inside, itself counted, declares something.
    #[inline]
    pub(super) fn is_declared_at(&self, depth: usize) -> bool {
        self.bindings.last().is_some_and(|binding| binding.depth == depth)
    }

    /// Ends the scope of the element that has `depth` elements open inside, itself counted.
    #[inline]
    pub(super) fn leave(&mut self, depth: usize) {
        while self.bindings.last().is_some_and(|binding| binding.depth >= depth) {
            self.bindings.pop();
        }
    }
}
