//! What modifiers make of a rule's value before it is compared: wildcards at the ends, encodings, the five dashes.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rsigma_parser::{Modifier, SigmaValue, SpecialChar, StringPart};

/// Alternatives that one value may become by `windash`.
const ALTERNATIVES_MAX: usize = 1_000;
/// Hyphen, slash, en dash, em dash, horizontal bar: what Windows takes for the beginning of an option.
const DASHES: [char; 5] = ['-', '/', '\u{2013}', '\u{2014}', '\u{2015}'];

/// A value of a rule on its way.
#[derive(Debug, Clone, PartialEq)]
pub enum Operand {
    /// Text with wildcards.
    Text(Vec<StringPart>),
    /// Bytes of an encoding.
    Bytes(Vec<u8>),
    /// A whole number.
    Int(i64),
    /// Another number.
    Float(f64),
    /// true or false.
    Bool(bool),
    /// null.
    Null,
}

impl Operand {
    fn plain(text: String) -> Self {
        Self::Text(if text.is_empty() { Vec::new() } else { vec![StringPart::Plain(text)] })
    }
    /// As text with wildcards; null has none.
    pub fn into_parts(self) -> Option<Vec<StringPart>> {
        Some(match self {
            Self::Text(parts) => parts,
            Self::Bytes(bytes) => vec![StringPart::Plain(String::from_utf8_lossy(&bytes).into_owned())],
            Self::Int(n) => vec![StringPart::Plain(n.to_string())],
            Self::Float(n) => vec![StringPart::Plain(n.to_string())],
            Self::Bool(b) => vec![StringPart::Plain(b.to_string())],
            Self::Null => return None,
        })
    }
    fn into_bytes(self, modifier: &str) -> Result<Vec<u8>, String> {
        if let Self::Bytes(bytes) = self {
            return Ok(bytes);
        }
        let parts = self.into_parts().ok_or_else(|| format!("`{modifier}` needs text, not null"))?;
        let mut out = String::new();
        for part in parts {
            match part {
                StringPart::Plain(t) => out.push_str(&t),
                StringPart::Special(_) => return Err(format!("`{modifier}` cannot encode a wildcard: escape it, or drop it")),
            }
        }
        Ok(out.into_bytes())
    }
}

impl From<&SigmaValue> for Operand {
    fn from(value: &SigmaValue) -> Self {
        match value {
            SigmaValue::String(s) => Self::Text(s.parts.clone()),
            SigmaValue::Integer(n) => Self::Int(*n),
            SigmaValue::Float(n) => Self::Float(*n),
            SigmaValue::Bool(b) => Self::Bool(*b),
            SigmaValue::Null => Self::Null,
        }
    }
}

/// Puts `*` at the ends.
pub fn surround(mut parts: Vec<StringPart>, before: bool, after: bool) -> Vec<StringPart> {
    let star = StringPart::Special(SpecialChar::WildcardMulti);
    if before && parts.first() != Some(&star) {
        parts.insert(0, star.clone());
    }
    if after && (parts.last() != Some(&star) || parts.len() == 1 && !before) {
        parts.push(star);
    }
    parts
}

fn utf16(bytes: &[u8], big: bool) -> Vec<u8> {
    let text = String::from_utf8_lossy(bytes);
    text.encode_utf16().flat_map(|u| if big { u.to_be_bytes() } else { u.to_le_bytes() }).collect()
}

/// The three texts that base64 can make of the bytes inside something longer, without the characters that their neighbors decide.
fn base64_offsets(bytes: &[u8]) -> Vec<Operand> {
    let cut = |offset: usize| {
        let mut padded = vec![b' '; offset];
        padded.extend_from_slice(bytes);
        let text = STANDARD.encode(&padded);
        let from = [0, 2, 3][offset];
        let to = text.len() - [0, 3, 2][padded.len() % 3];
        text.get(from..to.max(from)).unwrap_or_default().to_owned()
    };
    (0..3).map(cut).filter(|t| !t.is_empty()).map(Operand::plain).collect()
}

/// Every way to write the option dashes of a text.
fn dashes(parts: &[StringPart]) -> Result<Vec<Operand>, String> {
    let mut all: Vec<Vec<StringPart>> = vec![Vec::new()];
    for part in parts {
        let StringPart::Plain(text) = part else {
            all.iter_mut().for_each(|a| a.push(part.clone()));
            continue;
        };
        let word = |c: Option<&char>| c.is_some_and(|c| c.is_alphanumeric() || *c == '_');
        let chars: Vec<char> = text.chars().collect();
        let mut texts = vec![String::new()];
        for (i, c) in chars.iter().enumerate() {
            let option = (*c == '-' || *c == '/') && !word(i.checked_sub(1).and_then(|i| chars.get(i))) && word(chars.get(i + 1));
            let choices = if option { &DASHES[..] } else { std::slice::from_ref(c) };
            if texts.len() * choices.len() > ALTERNATIVES_MAX {
                return Err(format!("`windash` makes more than {ALTERNATIVES_MAX} alternatives of one value: split it"));
            }
            texts = texts.iter().flat_map(|t| choices.iter().map(move |d| format!("{t}{d}"))).collect();
        }
        if all.len() * texts.len() > ALTERNATIVES_MAX {
            return Err(format!("`windash` makes more than {ALTERNATIVES_MAX} alternatives of one value: split it"));
        }
        all = all.iter().flat_map(|a| texts.iter().map(move |t| [a.as_slice(), &[StringPart::Plain(t.clone())]].concat())).collect();
    }
    Ok(all.into_iter().map(Operand::Text).collect())
}

/// The alternatives that a value becomes by the modifiers that change text, in their order.
pub fn apply(value: &SigmaValue, modifiers: &[Modifier]) -> Result<Vec<Operand>, String> {
    let mut all = vec![Operand::from(value)];
    for modifier in modifiers {
        let mut next = Vec::with_capacity(all.len());
        for operand in all {
            next.extend(one(operand, *modifier)?);
        }
        all = next;
    }
    Ok(all)
}

fn one(operand: Operand, modifier: Modifier) -> Result<Vec<Operand>, String> {
    let ends = |before, after| -> Result<Vec<Operand>, String> {
        let parts = operand.clone().into_parts().ok_or("`contains`, `startswith` and `endswith` need text, not null")?;
        Ok(vec![Operand::Text(surround(parts, before, after))])
    };
    Ok(match modifier {
        Modifier::Contains => ends(true, true)?,
        Modifier::StartsWith => ends(false, true)?,
        Modifier::EndsWith => ends(true, false)?,
        Modifier::WindAsh => dashes(&operand.into_parts().ok_or("`windash` needs text, not null")?)?,
        Modifier::Base64 => vec![Operand::plain(STANDARD.encode(operand.into_bytes("base64")?))],
        Modifier::Base64Offset => base64_offsets(&operand.into_bytes("base64offset")?),
        Modifier::Wide => vec![Operand::Bytes(utf16(&operand.into_bytes("wide")?, false))],
        Modifier::Utf16be => vec![Operand::Bytes(utf16(&operand.into_bytes("utf16be")?, true))],
        Modifier::Utf16 => vec![Operand::Bytes([&[0xff, 0xfe], utf16(&operand.into_bytes("utf16")?, false).as_slice()].concat())],
        _ => vec![operand],
    })
}
