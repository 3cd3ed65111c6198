//! The policy file: TOML read into rules, each fault with its line and column.

use super::pattern::{Glob, Pattern, Patterns};
use super::{Ask, Class, Origin, Policy, Rule, Ruling, Whence};
use crate::bytes::hex;
use crate::error::{Code, Error, Result};
use crate::limits;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Commands that a rule can name.
const COMMANDS: [&str; 6] = ["Add", "Replace", "Get", "Delete", "Copy", "Exec"];
/// How long the user has if a rule does not say, in seconds.
const TIMEOUT_S: u32 = 120;

/// What is wrong, and at which octet.
struct Fault {
    at: usize,
    what: String,
}

type Read<T> = std::result::Result<T, Fault>;
type Value<'t> = Spanned<DeValue<'t>>;

/// Reads a policy file.
pub(super) fn read(text: &str) -> Result<Policy> {
    if text.len() > limits::POLICY_OCTETS {
        let what = format!("policy: {} octets, more than {}", text.len(), limits::POLICY_OCTETS);
        return Err(Error::new(Code::TooLarge, what));
    }
    document(text).map_err(|Fault { at, what }| {
        let before = text.get(..at).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Error::new(Code::InvalidArg, format!("policy: line {line}, column {column}: {what}"))
    })
}

fn document(text: &str) -> Read<Policy> {
    let table = DeTable::parse(text).map_err(|error| Fault {
        at: error.span().map_or(0, |span| span.start),
        what: error.message().to_owned(),
    })?;
    let mut policy = Policy { classes: Patterns::default(), rules: Vec::new() };
    for (name, value) in table.get_ref() {
        match name.get_ref().as_ref() {
            "classes" => policy.classes = classes(value)?,
            "rules" => policy.rules = rules(value)?,
            other => return fault(name, format!("there is no member {other:?}")),
        }
    }
    if policy.rules.is_empty() {
        return Err(Fault { at: 0, what: "there are no [[rules]]".into() });
    }
    Ok(policy)
}

fn fault<T, S>(place: &Spanned<S>, what: impl Into<String>) -> Read<T> {
    Err(Fault { at: place.span().start, what: what.into() })
}

fn classes(value: &Value<'_>) -> Read<Patterns<Class>> {
    let mut found = Patterns::default();
    let Some(table) = value.get_ref().as_table() else {
        return fault(value, "classes is a table");
    };
    for (name, value) in table {
        let named = |class: &Class| class.name() == name.get_ref().as_ref();
        match Class::OF_NODES.into_iter().find(named) {
            Some(class) => {
                list(value, pattern)?.into_iter().for_each(|pattern| found.add(pattern, class));
            }
            None => {
                let names = Class::OF_NODES.map(Class::name).join(", ");
                return fault(name, format!("the classes of nodes are {names}"));
            }
        }
    }
    Ok(found)
}

fn rules(value: &Value<'_>) -> Read<Vec<Rule>> {
    let Some(array) = value.get_ref().as_array() else {
        return fault(value, "rules are written as [[rules]]");
    };
    if array.iter().count() > limits::POLICY_RULES {
        return fault(value, format!("more than {} rules", limits::POLICY_RULES));
    }
    array.iter().map(rule).collect()
}

fn rule(value: &Value<'_>) -> Read<Rule> {
    let Some(table) = value.get_ref().as_table() else {
        return fault(value, "a rule is a table");
    };
    let mut rule = Rule::default();
    let (mut action, mut timeout, mut default) = (None, None, None);
    for (name, value) in table {
        match name.get_ref().as_ref() {
            "class" => rule.classes = list(value, class)?,
            "uri" => {
                let patterns = list(value, pattern)?.into_iter();
                rule.uris = patterns.map(|pattern| (pattern, ())).collect();
            }
            "command" => rule.commands = list(value, command)?,
            "server" => rule.servers = list(value, |text| Ok(Glob::new(text)))?,
            "origin" => rule.origins = list(value, origin)?,
            "action" => action = Some(word(value, &["allow", "ask", "refuse"])?),
            "default" => default = Some((name, word(value, &["allow", "refuse"])?)),
            "timeout" => timeout = Some((name, seconds(value)?)),
            other => return fault(name, format!("a rule has no member {other:?}")),
        }
    }
    let only_ask = default.map(|(name, _)| name).or(timeout.map(|(name, _)| name));
    rule.ruling = Some(match (action, only_ask) {
        (Some("ask"), _) => Ruling::Ask(Ask {
            refuses: default.is_none_or(|(_, word)| word == "refuse"),
            timeout_s: timeout.map_or(TIMEOUT_S, |(_, seconds)| seconds),
        }),
        (Some(_), Some(name)) => return fault(name, "only the action \"ask\" has this"),
        (Some("allow"), None) => Ruling::Allow,
        (Some(_), None) => Ruling::Refuse,
        (None, _) => return fault(value, "the rule has no action"),
    });
    Ok(rule)
}

/// A text, or several in an array.
fn list<T>(
    value: &Value<'_>,
    read: impl Fn(&str) -> std::result::Result<T, String>,
) -> Read<Vec<T>> {
    let one = |value: &Value<'_>| match value.get_ref().as_str() {
        Some(text) => read(text).or_else(|what| fault(value, what)),
        None => fault(value, "a text is expected"),
    };
    let Some(array) = value.get_ref().as_array() else { return Ok(vec![one(value)?]) };
    let items: Vec<T> = array.iter().map(one).collect::<Read<_>>()?;
    if items.is_empty() {
        return fault(value, "an empty list fits nothing: leave the member out for \"any\"");
    }
    if items.len() > limits::POLICY_PATTERNS {
        return fault(value, format!("more than {} entries", limits::POLICY_PATTERNS));
    }
    Ok(items)
}

/// One of these words.
fn word<'w>(value: &Value<'_>, words: &[&'w str]) -> Read<&'w str> {
    let text = value.get_ref().as_str();
    let known = words.iter().find(|word| Some(**word) == text);
    known.copied().map_or_else(|| fault(value, format!("one of {}", words.join(", "))), Ok)
}

fn seconds(value: &Value<'_>) -> Read<u32> {
    let most = u32::try_from(limits::UI_PATIENCE_MS / 1000).unwrap_or(u32::MAX);
    let digits = value.get_ref().as_integer().filter(|number| number.radix() == 10);
    let number = digits.and_then(|number| number.as_str().parse::<u32>().ok());
    match number {
        Some(number) if (1..=most).contains(&number) => Ok(number),
        _ => fault(value, format!("a number of seconds from 1 to {most}")),
    }
}

fn class(text: &str) -> std::result::Result<Class, String> {
    let known = Class::ALL.into_iter().find(|class| class.name() == text);
    known.ok_or_else(|| format!("the classes are {}", Class::ALL.map(Class::name).join(", ")))
}

fn command(text: &str) -> std::result::Result<String, String> {
    match COMMANDS.contains(&text) {
        true => Ok(text.to_owned()),
        false => Err(format!("the commands are {}", COMMANDS.join(", "))),
    }
}

fn pattern(text: &str) -> std::result::Result<Pattern, String> {
    Pattern::read(text).map_err(str::to_owned)
}

fn origin(text: &str) -> std::result::Result<Whence, String> {
    Ok(match text {
        "card" => Whence::AnyCard,
        "push" => Whence::Origin(Origin::Push),
        "remote" => Whence::Origin(Origin::Remote),
        "host" => Whence::Origin(Origin::Host),
        _ => {
            let hash = text.strip_prefix("card:").and_then(|digits| hex::decode(digits).ok());
            let hash = hash.and_then(|octets| octets.try_into().ok());
            let known = "card, push, remote, host, or card: and 32 hexadecimal digits";
            Whence::Origin(Origin::Card(hash.ok_or_else(|| format!("the origins are {known}"))?))
        }
    })
}
