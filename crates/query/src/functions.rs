//! The SQL functions that we add to the engine's: a word, a phrase, a value, a network, a key of JSON. Documented in docs/howto/search.md.
//!
//! `has_word(text, 'word')` · `has_phrase(text, 'a phrase')` · `has_value(text or list, 'value*')` · `has_exact(text or list, 'value')` ·
//! `in_network(text, '10.0.0.0/8')` · `json_text(json, 'key', ...)`. The second argument must be a literal. Null in, null out.

use std::sync::Arc;

use datafusion::{
    arrow::{
        array::{Array, ArrayRef, AsArray as _, BooleanArray, StringViewBuilder},
        datatypes::DataType,
    },
    common::{Result, exec_err},
    logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility},
    prelude::SessionContext,
};

use crate::{
    network::Network,
    pattern::{Value, Word},
};

/// What a function asks of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Ask {
    Word,
    Phrase,
    Value,
    Exact,
    Network,
}

/// A test of a text, or of any item of a list.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct TextTest {
    ask: Ask,
    signature: Signature,
}

type Test = Box<dyn Fn(&str) -> bool>;

impl Ask {
    const ALL: [Self; 5] = [Self::Word, Self::Phrase, Self::Value, Self::Exact, Self::Network];

    const fn name(self) -> &'static str {
        match self {
            Self::Word => "has_word",
            Self::Phrase => "has_phrase",
            Self::Value => "has_value",
            Self::Exact => "has_exact",
            Self::Network => "in_network",
        }
    }

    fn test(self, text: &str) -> Result<Test, String> {
        Ok(match self {
            Self::Word | Self::Phrase => {
                let word = Word::new(text, self == Self::Phrase)?;
                Box::new(move |t| word.is_in(t.as_bytes()))
            }
            Self::Value | Self::Exact => {
                let value = Value::new(text, self == Self::Exact)?;
                Box::new(move |t| value.is(t))
            }
            Self::Network => {
                let net = Network::parse(text).ok_or_else(|| format!("{text:?} is no network; write 10.0.0.0/8"))?;
                Box::new(move |t| net.holds(t))
            }
        })
    }

    pub(crate) fn function(self) -> ScalarUDF {
        ScalarUDF::from(TextTest { ask: self, signature: Signature::any(2, Volatility::Immutable) })
    }
}

impl ScalarUDFImpl for TextTest {
    fn name(&self) -> &str {
        self.ask.name()
    }
    fn signature(&self) -> &Signature {
        &self.signature
    }
    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }
    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let test = match self.ask.test(literal(self.name(), &args.args[1])?) {
            Ok(test) => test,
            Err(e) => return exec_err!("{}: {e}", self.name()),
        };
        let array = args.args[0].to_array(args.number_rows)?;
        let answer: BooleanArray = match array.data_type() {
            DataType::List(_) => {
                let list = array.as_list::<i32>();
                let any = |items: ArrayRef| texts(self.name(), &items).map(|t| t.flatten().any(&test));
                list.iter().map(|items| items.map(any).transpose()).collect::<Result<_>>()?
            }
            _ => texts(self.name(), &array)?.map(|t| t.map(&test)).collect(),
        };
        Ok(ColumnarValue::Array(Arc::new(answer)))
    }
}

fn literal<'a>(function: &str, value: &'a ColumnarValue) -> Result<&'a str> {
    match value {
        ColumnarValue::Scalar(s) => match s.try_as_str() {
            Some(Some(text)) => Ok(text),
            _ => exec_err!("{function}: the text to look for must be a literal text"),
        },
        ColumnarValue::Array(_) => exec_err!("{function}: the text to look for must be a literal, not a column"),
    }
}

fn texts<'a>(function: &str, array: &'a ArrayRef) -> Result<Box<dyn Iterator<Item = Option<&'a str>> + 'a>> {
    Ok(match array.data_type() {
        DataType::Utf8View => Box::new(array.as_string_view().iter()),
        DataType::Utf8 => Box::new(array.as_string::<i32>().iter()),
        DataType::LargeUtf8 => Box::new(array.as_string::<i64>().iter()),
        DataType::Null => Box::new(std::iter::repeat_n(None, array.len())),
        other => return exec_err!("{function}: looks at text, not at {other}; cast it: CAST(x AS VARCHAR)"),
    })
}

/// `json_text(json, 'key', ...)`: the value at a path of keys, as text; null where there is none.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct JsonText {
    signature: Signature,
}

impl JsonText {
    pub(crate) fn function() -> ScalarUDF {
        ScalarUDF::from(Self { signature: Signature::variadic_any(Volatility::Immutable) })
    }
}

impl ScalarUDFImpl for JsonText {
    fn name(&self) -> &str {
        "json_text"
    }
    fn signature(&self) -> &Signature {
        &self.signature
    }
    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8View)
    }
    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let Some((json, path)) = args.args.split_first().filter(|(_, path)| !path.is_empty()) else {
            return exec_err!("json_text: write json_text(fields, 'key')");
        };
        let path: Vec<&str> = path.iter().map(|p| literal("json_text", p)).collect::<Result<_>>()?;
        let array = json.to_array(args.number_rows)?;
        let mut out = StringViewBuilder::with_capacity(array.len());
        for text in texts("json_text", &array)? {
            out.append_option(text.and_then(|t| at_path(t, &path)));
        }
        Ok(ColumnarValue::Array(Arc::new(out.finish())))
    }
}

fn at_path(json: &str, path: &[&str]) -> Option<String> {
    use serde_json::value::RawValue;
    // Most rows do not have the key: a look at the bytes saves reading the JSON.
    if memchr::memmem::find(json.as_bytes(), path.first()?.as_bytes()).is_none() && !json.contains('\\') {
        return None;
    }
    let mut at: &RawValue = serde_json::from_str(json).ok()?;
    for key in path {
        let object: std::collections::BTreeMap<std::borrow::Cow<'_, str>, &RawValue> = serde_json::from_str(at.get()).ok()?;
        at = object.get(*key)?;
    }
    match at.get() {
        "null" => None,
        text if text.starts_with('"') => serde_json::from_str(text).ok(),
        text => Some(text.to_owned()),
    }
}

/// Functions that make gigabytes out of two words, past every limit on memory. Nothing in a log needs them.
const GREEDY: [&str; 3] = ["repeat", "lpad", "rpad"];

/// Adds our functions to a session.
pub(crate) fn register(ctx: &SessionContext) {
    for name in GREEDY {
        ctx.deregister_udf(name);
    }
    for ask in Ask::ALL {
        ctx.register_udf(ask.function());
    }
    ctx.register_udf(JsonText::function());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_paths() {
        for (json, path, expected) in [
            (r#"{"a":"x","b":{"c":7398943596793037429}}"#, &["a"][..], Some("x")),
            (r#"{"a":"x","b":{"c":7398943596793037429}}"#, &["b", "c"], Some("7398943596793037429")),
            (r#"{"a":null}"#, &["a"], None),
            (r#"{"a":1}"#, &["b"], None),
            (r#"{"\u0061":"x"}"#, &["a"], Some("x")),
            (r#"{"a":"q\"q"}"#, &["a"], Some("q\"q")),
            ("no json", &["a"], None),
            (r#"["a"]"#, &["a"], None),
        ] {
            assert_eq!(at_path(json, path).as_deref(), expected, "{json}");
        }
    }
}
