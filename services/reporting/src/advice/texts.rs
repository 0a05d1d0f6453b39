//! Texts of advice: messages of the catalogue, filled in with named arguments.

use insights_messages::{FluentArgs, FluentValue, Language, advice};
use insights_proto::reporting::v1::{AdviceArgument, AdviceCode, advice_argument::Value};

/// Texts of one advice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AdviceTexts {
    /// One line: the customer and the problem.
    pub title: String,
    /// The problem.
    pub problem: String,
    /// The figures in a sentence.
    pub because: String,
    /// Possible causes.
    pub consider: String,
    /// The recommended action.
    pub to_try: String,
}

/// Arguments by name.
#[derive(Clone, Copy, Debug)]
pub struct NamedArguments<'a>(pub &'a [AdviceArgument]);

impl NamedArguments<'_> {
    /// An argument as text: counts with grouped thousands, percentages rounded to whole numbers; empty when there is none.
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

    /// An argument for a message. A count stays a number, because it selects plural forms.
    fn value(&self, name: &str, language: Language) -> FluentValue<'static> {
        let of = self.0.iter().find(|argument| argument.name == name).and_then(|argument| argument.value.as_ref());
        match of {
            Some(Value::Count(count)) => FluentValue::from(*count),
            _ => FluentValue::from(self.say(name, language)),
        }
    }
}

/// The texts of a rule's advice in a language.
#[must_use]
pub fn texts(code: AdviceCode, arguments: NamedArguments<'_>, language: Language) -> AdviceTexts {
    let value = |argument: &AdviceArgument| (argument.name.clone(), arguments.value(&argument.name, language));
    let values: FluentArgs<'_> = arguments.0.iter().map(value).collect();
    let say = |part| advice(language, code, part, &values);
    AdviceTexts {
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
        let say = |name| NamedArguments(&arguments).say(name, Language::English);
        assert_eq!([say("seats"), say("share"), say("end"), say("?")], ["1,234,567", "26 %", "2026-01-31", ""]);
        assert_eq!(NamedArguments(&arguments).say("seats", Language::Portuguese), "1.234.567");
    }

    /// The sentence with the figures, of counts by name.
    fn because(code: AdviceCode, language: Language, counts: &[(&str, i64)]) -> String {
        let count = |(name, count): &(&str, i64)| AdviceArgument {
            name: (*name).to_owned(),
            value: Some(Value::Count(*count)),
        };
        let mut arguments: Vec<AdviceArgument> = counts.iter().map(count).collect();
        arguments.push(AdviceArgument { name: "end".into(), value: Some(Value::Day("2026-01-31".into())) });
        for name in ["share", "usage", "loss"] {
            arguments.push(AdviceArgument { name: name.into(), value: Some(Value::Percent(30.0)) });
        }
        for (name, month) in [("first_month", "2025-10"), ("last_month", "2026-01")] {
            arguments.push(AdviceArgument { name: name.into(), value: Some(Value::Month(month.into())) });
        }
        texts(code, NamedArguments(&arguments), language).because
    }

    #[test]
    fn words_take_the_form_of_their_numbers() {
        use AdviceCode::{
            HowToCases, IdleSeats, LowAdoption, SeatsNearlyExhausted, TrialEnding, UnassignedBeforeRenewal,
        };
        use Language::{English, Portuguese};
        let trial = |language, active, days| because(TrialEnding, language, &[("active", active), ("days", days)]);
        assert_eq!(trial(English, 1, 1), "1 person used it in the last 28 days; it ends in 1 day, on 2026-01-31.");
        assert_eq!(trial(Portuguese, 1, 1), "1 pessoa a usou nos últimos 28 dias; termina em 1 dia, em 2026-01-31.");
        assert_eq!(
            trial(English, 1_234, 0),
            "1,234 people used it in the last 28 days; it ends on 2026-01-31, the last day of these figures."
        );
        assert_eq!(
            trial(Portuguese, 1_234, 0),
            "1.234 pessoas a usaram nos últimos 28 dias; termina em 2026-01-31, o último dia destes números."
        );
        assert!(trial(English, 2, 2).ends_with("it ends in 2 days, on 2026-01-31."));
        let counts = [("active", 1), ("available", 20), ("unassigned", 1), ("idle", 1)];
        assert_eq!(
            because(LowAdoption, English, &counts),
            "1 of 20 available seats was used in the last 28 days (30 %); 1 is assigned to nobody, 1 is assigned and idle."
        );
        assert_eq!(
            because(LowAdoption, Portuguese, &counts),
            "1 de 20 licenças disponíveis foi usada nos últimos 28 dias (30 %); 1 não está atribuída a ninguém, 1 está \
             atribuída e ociosa."
        );
        let none = [("active", 0), ("available", 20), ("unassigned", 0), ("idle", 20)];
        assert!(because(LowAdoption, Portuguese, &none).starts_with("0 de 20 licenças disponíveis foram usadas"));
        assert!(because(LowAdoption, English, &none).contains("0 are assigned to nobody, 20 are assigned and idle"));
        let renewal = [("unassigned", 1), ("available", 3), ("days", 1)];
        assert!(because(UnassignedBeforeRenewal, English, &renewal).contains("is assigned to nobody, and"));
        assert!(because(UnassignedBeforeRenewal, Portuguese, &renewal).contains("não está atribuída a ninguém"));
        let cases = [("how_to", 1), ("total", 2), ("months", 1)];
        assert!(because(HowToCases, Portuguese, &cases).starts_with("1 de 2 casos de suporte do último mês perguntou"));
        assert!(because(HowToCases, English, &cases).contains("of the last month asked"));
        assert!(because(IdleSeats, English, &[("idle", 1), ("assigned", 4)]).contains("was not used by its holder"));
        let exhausted = [("assigned", 1), ("available", 1), ("active", 1)];
        assert!(because(SeatsNearlyExhausted, English, &exhausted).contains("1 was used"));
    }

    #[test]
    fn a_decline_may_have_risen_a_little() {
        let counts = [("months", 3), ("before", 20), ("now", 14)];
        assert_eq!(
            because(AdviceCode::SteadyDecline, Language::English, &counts),
            "Active seats fell over the last 3 months, from 20 in 2025-10 to 14 in 2026-01 (30 % fewer), and rose by no \
             more than a little in between."
        );
        for language in Language::ALL {
            let counts = [("months", 1), ("before", 1_234), ("now", 1)];
            let said = because(AdviceCode::SteadyDecline, language, &counts);
            assert!(said.contains(&language.number(1_234)) && !said.contains("1 m"), "{said}");
        }
    }
}
