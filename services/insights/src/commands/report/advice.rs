//! `insights report advice`.

use std::collections::HashMap;

use insights_messages::{Language, Sentence, advice_counted, title};
use insights_proto::reporting::v1::{
    Advice, AdviceArgument, AdviceCode, AdviceCount, Coverage, Evidence, EvidenceKind, ListAdviceRequest, Page,
    PageFilters, advice_argument::Value,
};
use serde_json::{Map, Value as Json, json};

use super::{
    DEADLINE, TextView,
    about::About,
    figures::sparkline,
    labels::Labels,
    performance::{id, name},
};
use crate::{client::Caller, failure::Failure, output};

/// Advice asked for at once.
const PAGE: i32 = 500;
/// Advice shown in the terminal.
const SHOWN: usize = 20;

/// Shows what to advise customers.
pub async fn run(caller: &Caller, page: PageFilters, about: &About, view: TextView, json: bool) -> Result<(), Failure> {
    let mut request = ListAdviceRequest { page: Some(page), page_size: PAGE, ..ListAdviceRequest::default() };
    let mut advice = Vec::new();
    loop {
        let asked = caller.request(request.clone(), DEADLINE);
        let answer = caller.reporting().list_advice(asked).await?.into_inner();
        advice.extend(answer.advice);
        request.page_token = answer.next_page_token;
        if request.page_token.is_empty() {
            let shown = ShownAdvice {
                coverage: answer.coverage.unwrap_or_default(),
                counts: answer.counts,
                incomplete: answer.incomplete,
                advice,
            };
            return if json {
                output::print_json(&shown.json())
            } else {
                output::print(&output::plain(&shown.text(about, view)))
            };
        }
    }
}

struct ShownAdvice {
    coverage: Coverage,
    counts: Vec<AdviceCount>,
    incomplete: bool,
    advice: Vec<Advice>,
}

impl ShownAdvice {
    fn text(&self, about: &About, view: TextView) -> String {
        let language = view.language;
        let count = |of: &AdviceCount| advice_counted(language, of.code(), of.count.into());
        let counts: Vec<String> = self.counts.iter().map(count).collect();
        let page = about.title(Page::Advice, None, language);
        let counts = if counts.is_empty() { String::new() } else { format!("{}\n", counts.join(", ")) };
        let narrowed = about.line(&self.coverage, &[], language);
        let mut text = format!("{page}  {}\n{counts}{narrowed}\n", self.coverage.to_month);
        if self.advice.is_empty() {
            text.push_str(&format!("\n{}\n", Sentence::NoAdvice.say(language, &[])));
        }
        let headings = [Sentence::Problem, Sentence::Figures, Sentence::Consider, Sentence::ToTry];
        let headings = headings.map(|heading| heading.say(language, &[]));
        let width = headings.iter().map(|heading| heading.chars().count()).max().unwrap_or_default();
        let shown = if view.all { self.advice.len() } else { SHOWN };
        let advice = || self.advice.iter().take(shown);
        let titles: HashMap<AdviceCode, Labels> = HashMap::from_iter(self.counts.iter().map(|rule| {
            let of_rule = advice().filter(|of| of.code == rule.code);
            (rule.code(), Labels::of(of_rule.map(|of| (Some(subject(of)), of.title.clone())), &[]))
        }));
        for (place, of) in advice().enumerate() {
            let title = titles.get(&of.code()).map_or(of.title.as_str(), |titles| titles.get(Some(&subject(of))));
            text.push_str(&format!("\n{}. {title}  [{}]\n", place + 1, language.number(of.score)));
            let parts = [&of.problem, &of.because, &of.consider, &of.to_try];
            for (at, (heading, part)) in std::iter::zip(&headings, parts).enumerate() {
                text.push_str(&format!("   {heading:<width$}  {}\n", output::line(part)));
                if at == 1 {
                    text.push_str(&trends(of, width, language));
                }
            }
        }
        if self.advice.len() > shown {
            let more = language.number(i64::try_from(self.advice.len() - shown).unwrap_or(i64::MAX));
            text.push_str(&format!("\n{}\n", Sentence::MoreAdvice.say(language, &[("count", &more)])));
        }
        if self.incomplete {
            text.push_str(&format!("\n{}\n", Sentence::AdviceIncomplete.say(language, &[])));
        }
        text
    }

    fn json(&self) -> Json {
        let counts: Map<String, Json> =
            self.counts.iter().map(|of| (rule_name(of.code()).to_lowercase(), json!(of.count))).collect();
        json!({
            "month": self.coverage.to_month,
            "complete_through": self.coverage.freshness.as_ref().map(|freshness| freshness.complete_through.clone()),
            "counts": counts,
            "incomplete": self.incomplete,
            "advice": self.advice.iter().map(one).collect::<Vec<_>>(),
        })
    }
}

/// The figures an advice rests on, each with its small chart.
fn trends(of: &Advice, width: usize, language: Language) -> String {
    let mut text = String::new();
    for evidence in of.evidence.iter().filter(|evidence| evidence.trend.len() > 1) {
        let points: Vec<Option<f64>> = evidence.trend.iter().map(|point| Some(point.value as f64)).collect();
        let kind = title(language, evidence.kind().as_str_name()).to_lowercase();
        let value = language.number(evidence.value);
        text.push_str(&format!("   {:width$}  {kind}: {value}  {}\n", "", sparkline(&points)));
    }
    text
}

/// What an advice is about, by ids: no rule has two about the same.
fn subject(of: &Advice) -> String {
    let ids = [id(of.customer.as_ref()), id(of.sku.as_ref()), Some(of.subscription_id.clone())];
    ids.into_iter().flatten().filter(|id| !id.is_empty()).collect::<Vec<_>>().join(", ")
}

fn one(of: &Advice) -> Json {
    let arguments: Map<String, Json> =
        of.arguments.iter().map(|argument| (argument.name.clone(), argument_json(argument))).collect();
    let evidence = |of: &Evidence| {
        let trend: Vec<Json> =
            of.trend.iter().map(|point| json!({"month": point.month, "value": point.value})).collect();
        json!({"figure": kind_name(of.kind()).to_lowercase(), "value": of.value, "trend": trend})
    };
    json!({
        "code": rule_name(of.code()),
        "score": of.score,
        "customer": id(of.customer.as_ref()),
        "customer_name": name(of.customer.as_ref()),
        "subscription": Some(&of.subscription_id).filter(|id| !id.is_empty()),
        "sku": id(of.sku.as_ref()),
        "title": of.title,
        "problem": of.problem,
        "because": of.because,
        "consider": of.consider,
        "to_try": of.to_try,
        "arguments": arguments,
        "evidence": of.evidence.iter().map(evidence).collect::<Vec<_>>(),
    })
}

fn argument_json(argument: &AdviceArgument) -> Json {
    match &argument.value {
        None => Json::Null,
        Some(Value::Count(count)) => json!(count),
        Some(Value::Percent(percent)) => json!(percent),
        Some(Value::Day(text) | Value::Month(text) | Value::Text(text)) => json!(text),
    }
}

fn rule_name(code: AdviceCode) -> &'static str {
    code.as_str_name().trim_start_matches("ADVICE_CODE_")
}

fn kind_name(kind: EvidenceKind) -> &'static str {
    kind.as_str_name().trim_start_matches("EVIDENCE_KIND_")
}
