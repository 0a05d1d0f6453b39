//! What advice says. Its words are messages of every language; figures come as named arguments.

use insights_proto::reporting::v1::{AdviceArgument, AdviceCode, advice_argument::Value};

use crate::words::{Language, advice};

/// The words of an advice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Texts {
    /// What it is about.
    pub title: String,
    /// What is wrong.
    pub problem: String,
    /// The figures, in a sentence.
    pub because: String,
    /// Why it may be so.
    pub consider: String,
    /// What to do.
    pub to_try: String,
}

/// Arguments by name.
#[derive(Clone, Copy, Debug)]
pub struct Arguments<'a>(pub &'a [AdviceArgument]);

impl Arguments<'_> {
    /// An argument as it is read: counts in groups of three digits, percentages whole. Empty when there is none.
    #[must_use]
    pub fn say(&self, name: &str, language: Language) -> String {
        let value = self.0.iter().find(|argument| argument.name == name).and_then(|argument| argument.value.as_ref());
        match value {
            Some(Value::Count(count)) => language.number(*count),
            Some(Value::Percent(percent)) => format!("{percent:.0} %"),
            Some(Value::Day(text) | Value::Month(text) | Value::Text(text)) => text.clone(),
            None => String::new(),
        }
    }
}

/// The words of a rule's advice.
#[must_use]
pub fn texts(code: AdviceCode, arguments: Arguments<'_>, language: Language) -> Texts {
    let name = |argument: &AdviceArgument| (argument.name.clone(), arguments.say(&argument.name, language));
    let values: Vec<(String, String)> = arguments.0.iter().map(name).collect();
    let values: Vec<(&str, &str)> = values.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let say = |part| advice(language, code, part, &values);
    Texts {
        title: say(None),
        problem: say(Some("problem")),
        because: say(Some("because")),
        consider: say(Some("consider")),
        to_try: say(Some("to-try")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_said_as_people_read_them() {
        let arguments = [
            AdviceArgument { name: "seats".into(), value: Some(Value::Count(1_234_567)) },
            AdviceArgument { name: "share".into(), value: Some(Value::Percent(26.16)) },
            AdviceArgument { name: "end".into(), value: Some(Value::Day("2026-01-31".into())) },
        ];
        let say = |name| Arguments(&arguments).say(name, Language::English);
        assert_eq!([say("seats"), say("share"), say("end"), say("?")], ["1,234,567", "26 %", "2026-01-31", ""]);
        assert_eq!(Arguments(&arguments).say("seats", Language::Portuguese), "1.234.567");
    }
}
