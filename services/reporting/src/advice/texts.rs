//! What advice says, in English: the one place where its words stand. Figures come as named arguments.

use insights_proto::reporting::v1::{AdviceArgument, AdviceCode, advice_argument::Value};

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
    pub fn say(&self, name: &str) -> String {
        let value = self.0.iter().find(|argument| argument.name == name).and_then(|argument| argument.value.as_ref());
        match value {
            Some(Value::Count(count)) => grouped(*count),
            Some(Value::Percent(percent)) => format!("{percent:.0} %"),
            Some(Value::Day(text) | Value::Month(text) | Value::Text(text)) => text.clone(),
            None => String::new(),
        }
    }
}

/// A count in groups of three digits.
fn grouped(count: i64) -> String {
    let digits = count.unsigned_abs().to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if count < 0 { format!("-{text}") } else { text }
}

/// The words of a rule's advice.
#[must_use]
pub fn texts(code: AdviceCode, arguments: Arguments<'_>) -> Texts {
    match code {
        AdviceCode::Unspecified => Texts::default(),
        AdviceCode::LowAdoption => low_adoption(arguments),
        AdviceCode::HowToCases => how_to_cases(arguments),
        AdviceCode::UnassignedBeforeRenewal => unassigned_before_renewal(arguments),
        AdviceCode::IdleSeats => idle_seats(arguments),
        AdviceCode::TrialEnding => trial_ending(arguments),
        AdviceCode::SeatsNearlyExhausted => seats_nearly_exhausted(arguments),
        AdviceCode::SteadyDecline => steady_decline(arguments),
    }
}

fn low_adoption(of: Arguments<'_>) -> Texts {
    Texts {
        title: format!("Low adoption at {}", of.say("customer")),
        problem: "The user adoption rate is low, and many licences are not being used.".to_owned(),
        because: format!(
            "{} of {} available seats were used in the last 28 days ({}); {} are assigned to nobody, {} are assigned and idle.",
            of.say("active"),
            of.say("available"),
            of.say("usage"),
            of.say("unassigned"),
            of.say("idle"),
        ),
        consider: "The customer might not understand the value that the software could provide. It needs help with envisioning the \
                   ways it could incorporate it into its day, to simplify tasks that it does already or to enable new kinds of productivity."
            .to_owned(),
        to_try: "Case studies, user testimonials about specific scenarios, tutorial blogs, or videos.".to_owned(),
    }
}

fn how_to_cases(of: Arguments<'_>) -> Texts {
    Texts {
        title: format!("Many how-to questions from {}", of.say("customer")),
        problem: "There is a high volume of support calls for help and how-to questions.".to_owned(),
        because: format!(
            "{} of {} support cases of the last {} months asked how to do something ({}).",
            of.say("how_to"),
            of.say("total"),
            of.say("months"),
            of.say("share"),
        ),
        consider: "The customer may be new to the software, to the product version, or to its task.".to_owned(),
        to_try: "Offer training, in person or online, to increase the customer's overall expertise, and promote the self-service options \
                 available to it."
            .to_owned(),
    }
}

fn unassigned_before_renewal(of: Arguments<'_>) -> Texts {
    Texts {
        title: format!("Unassigned seats of {} at {} before a renewal", of.say("sku"), of.say("customer")),
        problem: "Seats that nobody holds come up for renewal.".to_owned(),
        because: format!(
            "{} of {} seats ({}) are assigned to nobody, and the subscription ends in {} days, on {}.",
            of.say("unassigned"),
            of.say("available"),
            of.say("share"),
            of.say("days"),
            of.say("end"),
        ),
        consider: "A customer that pays for seats it does not need may renew fewer of them, or none.".to_owned(),
        to_try: "Talk to the customer before the renewal: help it to assign the seats to people who would gain from them, with \
                 tutorials to begin with, or renew with as many as it needs."
            .to_owned(),
    }
}

fn idle_seats(of: Arguments<'_>) -> Texts {
    Texts {
        title: format!("Idle seats at {}", of.say("customer")),
        problem: "Many people hold a licence and do not use it.".to_owned(),
        because: format!(
            "{} of {} assigned seats ({}) were not used by their holders in the last 28 days.",
            of.say("idle"),
            of.say("assigned"),
            of.say("share"),
        ),
        consider: "The holders may not know what they have, may have left, or may work in another way.".to_owned(),
        to_try: "Ask the customer to give the seats of people who left to others, and offer tutorials and user testimonials for the \
                 tasks of those who stay."
            .to_owned(),
    }
}

fn trial_ending(of: Arguments<'_>) -> Texts {
    Texts {
        title: format!("Trial of {} at {} ends soon", of.say("sku"), of.say("customer")),
        problem: "A trial that people use is about to end.".to_owned(),
        because: format!(
            "{} people used it in the last 28 days; it ends in {} days, on {}.",
            of.say("active"),
            of.say("days"),
            of.say("end"),
        ),
        consider: "People who have taken to it lose it on that day unless it is bought.".to_owned(),
        to_try: "Make an offer now, with what the trial showed; a training for the team helps those who come next."
            .to_owned(),
    }
}

fn seats_nearly_exhausted(of: Arguments<'_>) -> Texts {
    Texts {
        title: format!("Seats of {} at {} are nearly used up", of.say("sku"), of.say("customer")),
        problem: "Nearly all seats are assigned and in use: whoever comes next gets none.".to_owned(),
        because: format!(
            "{} seats are assigned of {} available ones, and {} were used in the last 28 days.",
            of.say("assigned"),
            of.say("available"),
            of.say("active"),
        ),
        consider: "The customer has taken to the product; more people, or a larger plan, may be next.".to_owned(),
        to_try: "Offer more seats or a larger plan, and training for the people they are for.".to_owned(),
    }
}

fn steady_decline(of: Arguments<'_>) -> Texts {
    Texts {
        title: format!("Use at {} declines steadily", of.say("customer")),
        problem: "The customer uses less month after month, and may be about to leave.".to_owned(),
        because: format!(
            "Active seats fell over the last {} months, from {} in {} to {} in {} ({} fewer), and did not come back in between.",
            of.say("months"),
            of.say("before"),
            of.say("first_month"),
            of.say("now"),
            of.say("last_month"),
            of.say("loss"),
        ),
        consider: "People may be going over to another product, or the customer may be shrinking.".to_owned(),
        to_try: "Talk to the customer soon: ask what changed, and show with case studies and training what the product does for others."
            .to_owned(),
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
        let of = Arguments(&arguments);
        assert_eq!(
            [of.say("seats"), of.say("share"), of.say("end"), of.say("?")],
            ["1,234,567", "26 %", "2026-01-31", ""]
        );
        assert_eq!([grouped(0), grouped(999), grouped(-1000)], ["0", "999", "-1,000"]);
    }
}
